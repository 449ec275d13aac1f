/* SPDX-License-Identifier: MIT */
/* System calls on drivers, and the wait for several handles at once. */
#include "device.h"
#include "os2_calls.h"
#include "process.h"
#include "system_call.h"

#define LENGTH_MAX   0xFFFFu
#define OPTIONS_SIZE 256
#define POLL_MAX     256u

static uint32_t control(uint32_t handle, uint32_t category, uint32_t function, uint32_t parameters,
			uint32_t *parameters_length, uint32_t data, uint32_t *data_length)
{
	struct open_file *file = handle_file(&current->process->handles, handle);
	uint32_t error;

	if (!file)
		return ERROR_INVALID_HANDLE;
	if (!file->calls->control)
		return ERROR_INVALID_FUNCTION;
	file->users++;
	error = file->calls->control(file, category, function, parameters, parameters_length, data,
				     data_length);
	file_drop(file);
	return error;
}

/* A length in and out; one that is not asked for is the room. */
static bool length_of(uint32_t place, uint32_t room, uint32_t *length)
{
	*length = room;
	return place ? user_read(length, place, sizeof(*length)) : true;
}

uint32_t call_DosDevIOCtl(const uint32_t *a)
{
	uint32_t parameters_length, data_length, error;

	if (a[1] > 0xFF || a[2] > 0xFF || !length_of(a[5], a[4], &parameters_length) ||
	    !length_of(a[8], a[7], &data_length))
		return ERROR_INVALID_PARAMETER;
	if (parameters_length > LENGTH_MAX || data_length > LENGTH_MAX)
		return ERROR_INVALID_PARAMETER;
	if (parameters_length > a[4] || data_length > a[7])
		return ERROR_INVALID_PARAMETER;
	error = control(a[0], a[1], a[2], a[3], &parameters_length, a[6], &data_length);
	if ((a[5] && !user_write_word(a[5], parameters_length)) ||
	    (a[8] && !user_write_word(a[8], data_length)))
		return error ? error : ERROR_INVALID_PARAMETER;
	return error;
}

uint32_t call_DosDevIOCtl2(const uint32_t *a)
{
	uint32_t data_length = a[1], parameters_length = a[3];

	if (data_length > LENGTH_MAX || parameters_length > LENGTH_MAX || a[4] > 0xFF ||
	    a[5] > 0xFF)
		return ERROR_INVALID_PARAMETER;
	return control(a[6], a[5], a[4], a[2], &parameters_length, a[0], &data_length);
}

uint32_t call_GuestLoadDriver(const uint32_t *a)
{
	char name[NAME_MAX + 8], options[OPTIONS_SIZE];

	if (!user_text(name, a[0], sizeof(name)))
		return ERROR_INVALID_NAME;
	if (!user_text(options, a[1], sizeof(options)))
		return ERROR_INVALID_PARAMETER;
	return driver_load(name, options);
}

uint32_t call_GuestUnloadDriver(const uint32_t *a)
{
	char name[NAME_MAX];

	return user_text(name, a[0], sizeof(name)) ? driver_unload(name) : ERROR_INVALID_NAME;
}

uint32_t call_GuestQueryDriver(const uint32_t *a)
{
	char name[NAME_MAX], normal[NAME_MAX];
	struct guest_driver told = {0};
	const struct device *found;

	if (!user_text(name, a[0], sizeof(name)) || !name_normal(normal, name))
		return ERROR_INVALID_NAME;
	found = device_find(normal);
	if (!found)
		return ERROR_FILE_NOT_FOUND;
	told.base = found->driver->base;
	told.size = found->driver->size;
	told.opens = found->driver->opens;
	told.build_id_length = found->driver->build_id_length;
	memcpy(told.build_id, found->driver->build_id, told.build_id_length);
	return user_write(a[1], &told, sizeof(told)) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

/* False: a handle is none. */
static bool poll_now(struct guest_poll *list, uint32_t count, uint32_t *ready)
{
	*ready = 0;
	for (uint32_t i = 0; i < count; i++) {
		struct open_file *file = handle_file(&current->process->handles, list[i].file);

		if (!file)
			return false;
		list[i].ready = file->calls->ready
				    ? (uint16_t)file->calls->ready(file, list[i].wanted)
				    : list[i].wanted;
		*ready += list[i].ready != 0;
	}
	return true;
}

uint32_t call_GuestPoll(const uint32_t *a)
{
	uint64_t deadline = a[2] == SEM_INDEFINITE_WAIT ? FOREVER : clock_ns() + a[2] * NS_PER_MS;
	uint32_t count = a[1], size = count * sizeof(struct guest_poll), flags, ready = 0, why = 0;
	struct guest_poll *list = count <= POLL_MAX ? heap_take(size + 1) : NULL;
	bool valid;

	if (!list || !user_read(list, a[0], size)) {
		heap_drop(list);
		return list ? ERROR_INVALID_PARAMETER : ERROR_NOT_ENOUGH_MEMORY;
	}
	flags = interrupts_off();
	while ((valid = poll_now(list, count, &ready)) && !ready && !why)
		why = block((uint32_t)&ready_event, deadline, true);
	interrupts_restore(flags);
	if (valid && !user_write(a[0], list, size))
		why = ERROR_INVALID_PARAMETER;
	heap_drop(list);
	if (!valid)
		return ERROR_INVALID_HANDLE;
	if (ready)
		return why == ERROR_INVALID_PARAMETER ? why : NO_ERROR;
	return why == WAIT_TIMED_OUT ? ERROR_TIMEOUT : ERROR_INTERRUPT;
}
