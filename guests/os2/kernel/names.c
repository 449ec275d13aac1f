/* SPDX-License-Identifier: MIT */
/* What a name stands for: a file, a port, a device. */
#include "device.h"
#include "process.h"
#include "os2_calls.h"

static bool begins(const char *text, const char *with)
{
	while (*with && *text == *with) {
		text++;
		with++;
	}
	return !*with;
}

static uint32_t file_open(const char *name, uint32_t flags, uint32_t mode,
			  struct open_file **opened, uint32_t *action)
{
	struct memory_file *file = memory_file_find(name);
	bool made = !file;

	if (file && (flags & 3) == OPEN_ACTION_FAIL_IF_EXISTS)
		return ERROR_OPEN_FAILED;
	if (!file && !(flags & OPEN_ACTION_CREATE_IF_NEW))
		return ERROR_FILE_NOT_FOUND;
	if (!file)
		file = memory_file_make(name);
	*opened = file ? file_make(&memory_file_calls, file, mode) : NULL;
	if (!*opened)
		return ERROR_NOT_ENOUGH_MEMORY;
	file->users++;
	*action = made ? FILE_CREATED : FILE_EXISTED;
	if (!made && flags & OPEN_ACTION_REPLACE_IF_EXISTS) {
		*action = FILE_TRUNCATED;
		file->size = 0;
	}
	return NO_ERROR;
}

uint32_t name_open(const char *name, uint32_t flags, uint32_t mode, struct open_file **file,
		   uint32_t *action)
{
	char normal[NAME_MAX];
	const char *device = normal;

	if (!name_normal(normal, name))
		return ERROR_FILENAME_EXCED_RANGE;
	if (!normal[0])
		return ERROR_INVALID_NAME;
	*action = FILE_EXISTED;
	if (begins(normal, "G:\\"))
		return report_open(normal + 3, file);
	if (begins(normal, "DEV\\"))
		device += 4;
	*file = port_open(device);
	if (!*file)
		*file = virtio_port_open(device);
	if (*file)
		return NO_ERROR;
	if (device_find(device))
		return device_open(device_find(device), mode, file);
	return device == normal ? file_open(normal, flags, mode, file, action)
				: ERROR_FILE_NOT_FOUND;
}
