/* SPDX-License-Identifier: MIT */
/* The way into system calls, and the caller's memory. */
#include "system_call.h"
#include "process.h"

#define ARGUMENTS_MAX 9

#define POINTER(name) call_##name,
static system_call_function *const table[] = {GUEST_CALLS(POINTER)};
#undef POINTER

bool user_read(void *to, uint32_t from, uint32_t length)
{
	uint32_t done;

	return space_read(&current->process->space, to, from, length, &done);
}

bool user_write(uint32_t to, const void *from, uint32_t length)
{
	uint32_t done;

	return space_write(&current->process->space, to, from, length, &done);
}

bool user_write_word(uint32_t to, uint32_t value)
{
	return user_write(to, &value, sizeof(value));
}

bool user_text(char *to, uint32_t from, uint32_t room)
{
	for (uint32_t i = 0; i < room; i++) {
		if (!user_read(&to[i], from + i, 1))
			return false;
		if (!to[i])
			return true;
	}
	return false;
}

uint32_t system_call(struct frame *f)
{
	uint32_t arguments[ARGUMENTS_MAX] = {0}, done;

	if (f->eax >= sizeof(table) / sizeof(*table))
		return ERROR_INVALID_FUNCTION;
	/* The words behind the last argument are whatever the stack has, if it has any. */
	space_read(&current->process->space, arguments, f->edx, sizeof(arguments), &done);
	return table[f->eax](arguments);
}
