/* SPDX-License-Identifier: MIT */
/* System calls on files, ports, pipes and devices. */
#include "os2_calls.h"
#include "process.h"
#include "system_call.h"

#define CHUNK	  65536u
#define ACCESS(m) ((m)&3)

/* The file of a handle, which stays while the call lasts. */
static struct open_file *file_of(uint32_t handle)
{
	struct open_file *file = handle_file(&current->process->handles, handle);

	if (file)
		file->users++;
	return file;
}

uint32_t call_DosOpen(const uint32_t *a)
{
	struct handles *h = &current->process->handles;
	uint32_t action, handle, error;
	struct open_file *file;
	char name[NAME_MAX + 8];

	if (!user_text(name, a[0], sizeof(name)))
		return ERROR_INVALID_NAME;
	error = name_open(name, a[5], a[6], &file, &action);
	if (error)
		return error;
	error = handle_make(h, file, UINT32_MAX, &handle);
	if (error) {
		file_drop(file);
		return error;
	}
	h->list[handle].private = a[6] & OPEN_FLAGS_NOINHERIT;
	if (user_write_word(a[1], handle) && (!a[2] || user_write_word(a[2], action)))
		return NO_ERROR;
	handle_close(h, handle);
	return ERROR_INVALID_PARAMETER;
}

uint32_t call_DosClose(const uint32_t *a)
{
	return handle_close(&current->process->handles, a[0]);
}

static uint32_t read_into(struct open_file *file, uint32_t to, uint32_t length, uint32_t *total)
{
	uint32_t room = length < CHUNK ? length : CHUNK, error = NO_ERROR, done = room;
	char *buffer = heap_take(room ? room : 1);

	if (!buffer)
		return ERROR_NOT_ENOUGH_MEMORY;
	/* What comes in parts, a pipe or port, is taken once; a file until it ends. */
	while (*total < length && done == room && !error && !(*total && file->calls->ready)) {
		uint32_t wanted = length - *total < room ? length - *total : room;

		error = file->calls->read(file, buffer, wanted, &done);
		if (!error && !user_write(to + *total, buffer, done))
			error = ERROR_INVALID_PARAMETER;
		if (!error)
			*total += done;
		if (done < wanted)
			break;
	}
	heap_drop(buffer);
	return error;
}

uint32_t call_DosRead(const uint32_t *a)
{
	struct open_file *file = file_of(a[0]);
	uint32_t total = 0, error;

	if (!file)
		return ERROR_INVALID_HANDLE;
	if (file->calls->transfer)
		error = file->calls->transfer(file, false, a[1], a[2], &total);
	else
		error = file->calls->read ? read_into(file, a[1], a[2], &total)
					  : ERROR_INVALID_FUNCTION;
	file_drop(file);
	if (a[3] && !user_write_word(a[3], total))
		error = error ? error : ERROR_INVALID_PARAMETER;
	return error;
}

static uint32_t write_from(struct open_file *file, uint32_t from, uint32_t length, bool wait,
			   uint32_t *total)
{
	uint32_t room = length < CHUNK ? length : CHUNK, error = NO_ERROR;
	char *buffer = heap_take(room ? room : 1);

	if (!buffer)
		return ERROR_NOT_ENOUGH_MEMORY;
	while (*total < length && !error) {
		uint32_t n = length - *total < room ? length - *total : room, done = 0;

		if (!user_read(buffer, from + *total, n))
			error = ERROR_INVALID_PARAMETER;
		else
			error = file->calls->write(file, buffer, n, wait, &done);
		*total += done;
		if (done < n)
			break;
	}
	heap_drop(buffer);
	return error;
}

static uint32_t write_call(const uint32_t *a, bool wait)
{
	struct open_file *file = file_of(a[0]);
	uint32_t total = 0, error = ERROR_INVALID_FUNCTION;

	if (!file)
		return ERROR_INVALID_HANDLE;
	if (file->calls->transfer)
		error = file->calls->transfer(file, true, a[1], a[2], &total);
	else if (file->calls->write)
		error = ACCESS(file->mode) == OPEN_ACCESS_READONLY
			    ? ERROR_ACCESS_DENIED
			    : write_from(file, a[1], a[2], wait, &total);
	file_drop(file);
	if (a[3] && !user_write_word(a[3], total))
		error = error ? error : ERROR_INVALID_PARAMETER;
	return error;
}

uint32_t call_DosWrite(const uint32_t *a)
{
	return write_call(a, true);
}

uint32_t call_GuestOffer(const uint32_t *a)
{
	return write_call(a, false);
}

uint32_t call_DosSetFilePtr(const uint32_t *a)
{
	struct open_file *file = handle_file(&current->process->handles, a[0]);
	uint32_t position, error;

	if (!file)
		return ERROR_INVALID_HANDLE;
	if (!file->calls->seek)
		return ERROR_INVALID_FUNCTION;
	error = file->calls->seek(file, (int32_t)a[1], a[2], &position);
	if (!error && a[3] && !user_write_word(a[3], position))
		error = ERROR_INVALID_PARAMETER;
	return error;
}

uint32_t call_DosSetFileSize(const uint32_t *a)
{
	struct open_file *file = handle_file(&current->process->handles, a[0]);

	if (!file)
		return ERROR_INVALID_HANDLE;
	return file->calls->resize ? file->calls->resize(file, a[1]) : ERROR_INVALID_FUNCTION;
}

uint32_t call_DosDelete(const uint32_t *a)
{
	char name[NAME_MAX + 8], normal[NAME_MAX];
	struct memory_file *file;

	if (!user_text(name, a[0], sizeof(name)) || !name_normal(normal, name))
		return ERROR_INVALID_NAME;
	file = memory_file_find(normal);
	if (!file)
		return ERROR_FILE_NOT_FOUND;
	memory_file_remove(file);
	return NO_ERROR;
}

uint32_t call_GuestNextFile(const uint32_t *a)
{
	char after[NAME_MAX + 8], normal[NAME_MAX];
	const struct memory_file *file;

	if (!user_text(after, a[0], sizeof(after)) || !name_normal(normal, after))
		return ERROR_INVALID_NAME;
	file = memory_file_after(normal);
	if (!file)
		return ERROR_NO_MORE_FILES;
	if (strlen(file->name) >= a[2])
		return ERROR_BUFFER_OVERFLOW;
	return user_write(a[1], file->name, strlen(file->name) + 1) ? NO_ERROR
								    : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosDupHandle(const uint32_t *a)
{
	struct open_file *file = handle_file(&current->process->handles, a[0]);
	uint32_t wanted, handle, error;

	if (!file)
		return ERROR_INVALID_HANDLE;
	if (!user_read(&wanted, a[1], sizeof(wanted)))
		return ERROR_INVALID_PARAMETER;
	if (wanted == a[0])
		return NO_ERROR;
	file->users++;
	error = handle_make(&current->process->handles, file, wanted, &handle);
	if (error) {
		file_drop(file);
		return error;
	}
	return user_write_word(a[1], handle) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosSetFHState(const uint32_t *a)
{
	if (!handle_file(&current->process->handles, a[0]))
		return ERROR_INVALID_HANDLE;
	current->process->handles.list[a[0]].private = a[1] & OPEN_FLAGS_NOINHERIT;
	return NO_ERROR;
}

uint32_t call_DosQueryFHState(const uint32_t *a)
{
	const struct open_file *file = handle_file(&current->process->handles, a[0]);

	if (!file)
		return ERROR_INVALID_HANDLE;
	return user_write_word(a[1], file->mode | (current->process->handles.list[a[0]].private
						       ? OPEN_FLAGS_NOINHERIT
						       : 0))
		   ? NO_ERROR
		   : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosSetMaxFH(const uint32_t *a)
{
	return a[0] >= 20 && a[0] <= HANDLES_MAX ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosCreatePipe(const uint32_t *a)
{
	struct handles *h = &current->process->handles;
	struct open_file *read, *write;
	uint32_t error = pipe_make(a[2], &read, &write), in, out;

	if (error)
		return error;
	error = handle_make(h, read, UINT32_MAX, &in);
	if (error) {
		file_drop(read);
		file_drop(write);
		return error;
	}
	error = handle_make(h, write, UINT32_MAX, &out);
	if (error)
		file_drop(write);
	else if (user_write_word(a[0], in) && user_write_word(a[1], out))
		return NO_ERROR;
	else
		handle_close(h, out);
	handle_close(h, in);
	return error ? error : ERROR_INVALID_PARAMETER;
}
