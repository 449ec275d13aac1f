/* SPDX-License-Identifier: MIT */
/* sysctl by name, also as files: where Linux has /proc, a path "sysctl:NAME" reads a value. */
#include "freebsd/runtime.h"
#include "os_freebsd.h"
#include "os_posix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysctl.h>

#define PREFIX	   "sysctl:"
#define NAME_BYTES 128u

struct identifier {
	int numbers[CTL_MAXNAME];
	unsigned count;
};

static uint32_t sysctl_call(const struct identifier *id, void *to, size_t *length, const void *set,
			    size_t set_length)
{
	return posix_error(
	    runtime_call(SYS___sysctl, id->numbers, (long)id->count, to, length, set, set_length));
}

/* Where the numbers at the end of a name begin. */
static size_t name_length(const char *name)
{
	size_t length = strlen(name);

	for (;;) {
		size_t at = length;

		while (at > 0 && name[at - 1] >= '0' && name[at - 1] <= '9')
			at--;
		if (at == length || at == 0 || name[at - 1] != '.')
			return length;
		length = at - 1;
	}
}

/* The kernel's own service for that is sysctl 0.3. */
static uint32_t identifier_find(const char *name, struct identifier *id)
{
	const struct identifier service = {.numbers = {0, 3}, .count = 2};
	const char *rest = name + name_length(name);
	size_t length = sizeof(id->numbers);
	char words[NAME_BYTES];
	uint32_t error;

	if ((size_t)(rest - name) >= sizeof(words))
		return ENAMETOOLONG;
	memcpy(words, name, (size_t)(rest - name));
	error = sysctl_call(&service, id->numbers, &length, words, (size_t)(rest - name));
	if (error)
		return error;
	id->count = (unsigned)(length / sizeof(id->numbers[0]));
	while (*rest == '.' && id->count < CTL_MAXNAME) {
		char *end;

		id->numbers[id->count++] = (int)strtoll(rest + 1, &end, 10);
		rest = end;
	}
	return 0;
}

uint32_t freebsd_sysctl(const char *name, void *to, size_t *length, const void *set,
			size_t set_length)
{
	struct identifier id;
	uint32_t error = identifier_find(name, &id);

	return error ? error : sysctl_call(&id, to, length, set, set_length);
}

void freebsd_sysctl_text(const char *name, char *to, size_t size)
{
	size_t length = size - 1;

	memset(to, 0, size);
	if (freebsd_sysctl(name, to, &length, NULL, 0) && length >= size)
		to[0] = 0;
}

bool posix_pseudo_file(const char *path)
{
	return strncmp(path, PREFIX, strlen(PREFIX)) == 0;
}

uint32_t posix_pseudo_read(const char *path, uint64_t offset, void *to, uint32_t length,
			   uint32_t *got)
{
	size_t room = (size_t)offset + length;
	uint8_t *whole;
	uint32_t error;

	*got = 0;
	if (offset > UINT32_MAX || !(whole = malloc(room ? room : 1)))
		return ENOMEM;
	error = freebsd_sysctl(path + strlen(PREFIX), whole, &room, NULL, 0);
	if (!error && room > offset) {
		*got = (uint32_t)(room - (size_t)offset);
		memcpy(to, whole + offset, *got);
	}
	free(whole);
	return error;
}

uint32_t posix_pseudo_write(const char *path, const void *from, uint32_t length, uint32_t *written)
{
	uint32_t error = freebsd_sysctl(path + strlen(PREFIX), NULL, NULL, from, length);

	*written = error ? 0 : length;
	return error;
}
