/* SPDX-License-Identifier: MIT */
/* Loading and unloading: the kernel's linker, and its environment for options. */
#include "freebsd/runtime.h"
#include "os_freebsd.h"
#include "os_posix.h"

#include <errno.h>
#include <kenv.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#define NAME_BYTES	  64u
#define ENVIRONMENT_BYTES (64u * 1024)

/* "hw.NAME." of the module in a file. */
static void prefix_of(const char *path, char *prefix, size_t size)
{
	const char *slash = strrchr(path, '/');
	char name[NAME_BYTES];
	char *dot;

	snprintf(name, sizeof(name), "%s", slash ? slash + 1 : path);
	dot = strchr(name, '.');
	if (dot)
		*dot = 0;
	snprintf(prefix, size, "hw.%s.", name);
}

static uint32_t variable_change(int what, const char *name, const char *value)
{
	return posix_error(
	    runtime_call(SYS_kenv, (long)what, name, value, value ? (long)strlen(value) + 1 : 0L));
}

/* All options have their defaults then. The environment comes as texts "name=value". */
static uint32_t options_forget(const char *prefix)
{
	char *all = calloc(1, ENVIRONMENT_BYTES), *at;
	uint32_t error;

	if (!all)
		return ENOMEM;
	error = posix_error(
	    runtime_call(SYS_kenv, (long)KENV_DUMP, NULL, all, (long)ENVIRONMENT_BYTES));
	for (at = all; !error && *at; at += strlen(at) + 1) {
		char *equals = strchr(at, '=');

		if (!equals || strncmp(at, prefix, strlen(prefix)) != 0)
			continue;
		*equals = 0;
		error = variable_change(KENV_UNSET, at, NULL);
		*equals = '=';
	}
	free(all);
	return error;
}

static uint32_t option_set(const char *prefix, const char *option, size_t length)
{
	char name[2 * NAME_BYTES], text[NAME_BYTES];
	char *equals;

	if (length >= sizeof(text))
		return EINVAL;
	memcpy(text, option, length);
	text[length] = 0;
	equals = strchr(text, '=');
	if (!equals)
		return EINVAL;
	*equals = 0;
	snprintf(name, sizeof(name), "%s%s", prefix, text);
	return variable_change(KENV_SET, name, equals + 1);
}

static uint32_t options_set(const char *prefix, const char *options)
{
	uint32_t error = options_forget(prefix);

	while (!error && *options) {
		const char *end = strchr(options, ' ');
		size_t length = end ? (size_t)(end - options) : strlen(options);

		if (length)
			error = option_set(prefix, options, length);
		options += length + (end ? 1 : 0);
	}
	return error;
}

uint32_t os_driver_load(const char *path, const char *params)
{
	char prefix[NAME_BYTES + 8];
	uint32_t error;

	prefix_of(path, prefix, sizeof(prefix));
	error = options_set(prefix, params);
	return error ? error : posix_error(runtime_call(SYS_kldload, path));
}

static long module_find(const char *name)
{
	char file[NAME_BYTES];

	snprintf(file, sizeof(file), "%s.ko", name);
	return runtime_call(SYS_kldfind, file);
}

uint32_t os_driver_unload(const char *name)
{
	long id = module_find(name);

	if (id < 0)
		return (uint32_t)errno;
	return posix_error(runtime_call(SYS_kldunload, id));
}

static uint8_t digit_value(char digit)
{
	return (uint8_t)(digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
}

static void build_id_parse(const char *text, struct os_driver *driver)
{
	for (; text[0] && text[1] && driver->build_id_length < sizeof(driver->build_id); text += 2)
		driver->build_id[driver->build_id_length++] =
		    (uint8_t)(digit_value(text[0]) << 4 | digit_value(text[1]));
}

uint32_t os_driver_status(const char *name, struct os_driver *driver)
{
	char sysctl[NAME_BYTES], text[2 * sizeof(driver->build_id) + 1];
	long id = module_find(name);

	driver->references = -1;
	driver->loaded = id >= 0;
	if (!driver->loaded)
		return errno == ENOENT ? 0 : (uint32_t)errno;
	snprintf(sysctl, sizeof(sysctl), "hw.%s.build_id", name);
	freebsd_sysctl_text(sysctl, text, sizeof(text));
	build_id_parse(text, driver);
	return 0;
}
