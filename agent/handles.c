/* SPDX-License-Identifier: MIT */
/* Handles: small numbers for files and devices this process has open. */
#include "agent.h"

/* value + 1, so that a table of zeros is empty. */
static os_handle handle_table[HANDLES_MAX];
static uint32_t handles_end; /* no handle at or above */

os_handle handle_get(uint32_t number)
{
	return number < handles_end ? handle_table[number] - 1 : OS_NO_HANDLE;
}

static struct outcome handle_add(os_handle handle, struct reply *out)
{
	uint32_t number = 0;

	while (number < HANDLES_MAX && handle_table[number])
		number++;
	if (number == HANDLES_MAX) {
		os_close(handle);
		return refused(ST_TABLE_FULL);
	}
	handle_table[number] = handle + 1;
	if (number >= handles_end)
		handles_end = number + 1;
	put_u32(out, number);
	return done();
}

bool handle_adopt(uint32_t number, os_handle handle)
{
	if (number >= HANDLES_MAX || handle_table[number])
		return false;
	handle_table[number] = handle + 1;
	if (number >= handles_end)
		handles_end = number + 1;
	return true;
}

void handle_forget(uint32_t number)
{
	if (number < handles_end)
		handle_table[number] = 0;
}

uint32_t handles_close_all(void)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < handles_end; i++) {
		if (!handle_table[i])
			continue;
		os_close(handle_table[i] - 1);
		handle_table[i] = 0;
		count++;
	}
	handles_end = 0;
	return count;
}

struct outcome op_open(struct agent *a, struct reader *in, struct reply *out)
{
	static char path[PATH_SIZE];
	os_handle handle;
	uint32_t flags, error;

	(void)a;
	get_string(in, path, sizeof(path));
	flags = get_u32(in);
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!(flags & (OPEN_READ | OPEN_WRITE)))
		flags |= OPEN_READ | OPEN_WRITE;
	if (flags & ~OPEN_FLAGS)
		return refused(ST_BAD_VALUE);
	if (flags & OPEN_INHERIT && !os_opens_for_children)
		return os_outcome(os_enosys);
	if (flags & OPEN_OVERLAPPED && !os_overlaps)
		return os_outcome(os_enosys);
	error = os_open(path, flags, &handle);
	return error ? os_outcome(error) : handle_add(handle, out);
}

struct outcome op_close(struct agent *a, struct reader *in, struct reply *out)
{
	uint32_t number = get_u32(in);
	os_handle handle = handle_get(number);

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (handle == OS_NO_HANDLE)
		return refused(ST_NO_HANDLE);
	handle_table[number] = 0;
	os_close(handle);
	return done();
}

struct outcome op_dup(struct agent *a, struct reader *in, struct reply *out)
{
	os_handle handle = handle_get(get_u32(in)), copy;
	uint32_t error;

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (handle == OS_NO_HANDLE)
		return refused(ST_NO_HANDLE);
	error = os_dup(handle, &copy);
	return error ? os_outcome(error) : handle_add(copy, out);
}

struct outcome op_handle_send(struct agent *a, struct reader *in, struct reply *out)
{
	os_handle handle = handle_get(get_u32(in));
	uint16_t client = get_u16(in);

	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (handle == OS_NO_HANDLE)
		return refused(ST_NO_HANDLE);
	return clients_pass_handle(a, client, handle);
}

/* What this process's system knows a handle by. */
struct outcome op_handle_value(struct agent *a, struct reader *in, struct reply *out)
{
	os_handle handle = handle_get(get_u32(in));

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (handle == OS_NO_HANDLE)
		return refused(ST_NO_HANDLE);
	put_u64(out, (uint64_t)handle);
	return done();
}

struct outcome op_handle_take(struct agent *a, struct reader *in, struct reply *out)
{
	uint16_t client = get_u16(in);
	uint64_t value = get_u64(in);
	os_handle handle;
	struct outcome taken;

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	taken = clients_take_handle(client, value, &handle);
	return taken.status == ST_OK ? handle_add(handle, out) : taken;
}

struct outcome op_handle_recv(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t token = get_u64(in);
	os_handle handle;

	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	handle = os_handle_import(&a->stream, token);
	return handle == OS_NO_HANDLE ? refused(ST_NO_HANDLE) : handle_add(handle, out);
}
