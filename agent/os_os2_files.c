/* SPDX-License-Identifier: MIT */
/* OS/2: files, devices and the driver. */
#include "os_os2.h"

#include <string.h>

#include "proto.h"

#define PIECE	      32768u /* of a read or write: drivers are told a length of 16 bits */
#define NAME_ROOM     256u
#define MODE_FILE     0100644u
#define DEVICE_SUFFIX "$"

const bool os_opens_for_children = true;
const bool os_overlaps = false;

static uint32_t file_open(const char *path, uint32_t how, uint32_t access, HFILE *file)
{
	uint32_t action;

	return DosOpen(path, file, &action, 0, 0, how,
		       access | OPEN_SHARE_DENYNONE | OPEN_FLAGS_NOINHERIT, NULL);
}

uint32_t os_open(const char *path, uint32_t flags, os_handle *handle)
{
	static const uint32_t access[] = {
	    [0] = OPEN_ACCESS_READWRITE,
	    [OPEN_READ] = OPEN_ACCESS_READONLY,
	    [OPEN_WRITE] = OPEN_ACCESS_WRITEONLY,
	    [OPEN_READ | OPEN_WRITE] = OPEN_ACCESS_READWRITE,
	};
	HFILE file = 0;
	uint32_t action, mode = access[flags & 3] | OPEN_SHARE_DENYNONE, error;

	if (!(flags & OPEN_INHERIT))
		mode |= OPEN_FLAGS_NOINHERIT;
	error = DosOpen(path, &file, &action, 0, 0, OPEN_ACTION_OPEN_IF_EXISTS, mode, NULL);
	*handle = error ? OS_NO_HANDLE : (os_handle)file;
	return error;
}

void os_close(os_handle handle)
{
	DosClose(os2_file(handle));
}

uint32_t os_dup(os_handle handle, os_handle *copy)
{
	HFILE made = 0xffffffffu;
	uint32_t error = DosDupHandle(os2_file(handle), &made);

	*copy = error ? OS_NO_HANDLE : (os_handle)made;
	return error ? error : DosSetFHState(made, OPEN_FLAGS_NOINHERIT);
}

static uint32_t file_seek(HFILE file, uint64_t offset, uint32_t method)
{
	uint32_t position;

	if (offset > INT32_MAX)
		return ERROR_INVALID_PARAMETER;
	return DosSetFilePtr(file, (int32_t)offset, method, &position);
}

static uint32_t piece_of(uint32_t length)
{
	return length < PIECE ? length : PIECE;
}

uint32_t os_file_read(const char *path, uint64_t offset, void *to, uint32_t length, uint32_t *got)
{
	HFILE file;
	uint32_t error = file_open(path, OPEN_ACTION_OPEN_IF_EXISTS, OPEN_ACCESS_READONLY, &file);

	*got = 0;
	if (error)
		return error;
	if (offset)
		error = file_seek(file, offset, FILE_BEGIN);
	while (!error && *got < length) {
		uint32_t wanted = piece_of(length - *got), n = 0;

		error = DosRead(file, (uint8_t *)to + *got, wanted, &n);
		*got += n;
		if (n < wanted)
			break;
	}
	DosClose(file);
	return error;
}

static uint32_t open_action(uint32_t flags)
{
	return (flags & FWRITE_CREATE ? OPEN_ACTION_CREATE_IF_NEW : OPEN_ACTION_FAIL_IF_NEW) |
	       (flags & FWRITE_TRUNCATE ? OPEN_ACTION_REPLACE_IF_EXISTS
					: OPEN_ACTION_OPEN_IF_EXISTS);
}

uint32_t os_file_write(const char *path, uint64_t offset, const void *from, uint32_t length,
		       uint32_t flags, uint32_t mode, uint32_t *written)
{
	HFILE file;
	uint32_t error = file_open(path, open_action(flags), OPEN_ACCESS_READWRITE, &file);

	(void)mode; /* files belong to nobody */
	*written = 0;
	if (error)
		return error;
	if (flags & FWRITE_APPEND)
		error = file_seek(file, 0, FILE_END);
	else if (offset)
		error = file_seek(file, offset, FILE_BEGIN);
	while (!error && *written < length) {
		uint32_t n = 0;

		error = DosWrite(file, (const uint8_t *)from + *written,
				 piece_of(length - *written), &n);
		*written += n;
		if (n == 0)
			break;
	}
	DosClose(file);
	return error;
}

/* Names have parts, but there are no directories: one is what the names in it begin with. */
static const char *name_below(const char *name, const char *path)
{
	size_t length = strlen(path);

	if (strncmp(name, path, length) != 0)
		return NULL;
	name += length;
	if (length && path[length - 1] != '\\' && *name++ != '\\')
		return NULL;
	return *name && !strchr(name, '\\') ? name : NULL;
}

uint32_t os_file_list(const char *path, bool (*each)(void *to, const char *name), void *to)
{
	char name[NAME_ROOM], before[NAME_ROOM] = "";
	uint32_t error;

	while ((error = GuestNextFile(before, name, sizeof(name))) == 0) {
		const char *below = name_below(name, path);

		if (below && !each(to, below))
			return 0;
		memcpy(before, name, sizeof(before));
	}
	return error == ERROR_NO_MORE_FILES ? 0 : error;
}

uint32_t os_file_stat(const char *path, struct os_file_facts *facts)
{
	uint32_t size = 0, error;
	HFILE file;

	error = file_open(path, OPEN_ACTION_OPEN_IF_EXISTS, OPEN_ACCESS_READONLY, &file);
	if (error)
		return error;
	error = DosSetFilePtr(file, 0, FILE_END, &size);
	DosClose(file);
	facts->mode = MODE_FILE;
	facts->size = size;
	return error;
}

/* The driver. It is known by the name of its device, which has a $ at its end. */

static bool device_name(const char *name, char device[NAME_SIZE + sizeof(DEVICE_SUFFIX)])
{
	size_t length = strlen(name);

	if (length >= NAME_SIZE)
		return false;
	memcpy(device, name, length);
	memcpy(device + length, DEVICE_SUFFIX, sizeof(DEVICE_SUFFIX));
	return true;
}

uint32_t os_driver_load(const char *path, const char *params)
{
	return GuestLoadDriver(path, params);
}

uint32_t os_driver_unload(const char *name)
{
	char device[NAME_SIZE + sizeof(DEVICE_SUFFIX)];

	return device_name(name, device) ? GuestUnloadDriver(device) : ERROR_INVALID_NAME;
}

uint32_t os_driver_status(const char *name, struct os_driver *driver)
{
	char device[NAME_SIZE + sizeof(DEVICE_SUFFIX)];
	struct guest_driver found = {0};
	uint32_t error =
	    device_name(name, device) ? GuestQueryDriver(device, &found) : ERROR_INVALID_NAME;

	driver->loaded = !error;
	driver->references = error ? -1 : (int32_t)found.opens;
	driver->build_id_length = found.build_id_length;
	memcpy(driver->build_id, found.build_id, sizeof(driver->build_id));
	return error == ERROR_FILE_NOT_FOUND ? 0 : error;
}
