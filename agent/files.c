/* SPDX-License-Identifier: MIT */
/* Files of the guest, and its driver. */
#include "agent.h"

#include <string.h>

struct outcome op_driver_load(struct agent *a, struct reader *in, struct reply *out)
{
	static char path[PATH_SIZE], params[PATH_SIZE];

	(void)a;
	(void)out;
	get_string(in, path, sizeof(path));
	get_string(in, params, sizeof(params));
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	return os_outcome(os_driver_load(path, params));
}

/* A driver's name becomes part of a path on some systems. */
static bool driver_name_is_plain(const char *name)
{
	return name[0] && name[0] != '.' && !strpbrk(name, "/\\");
}

struct outcome op_driver_unload(struct agent *a, struct reader *in, struct reply *out)
{
	char name[NAME_SIZE];

	(void)a;
	(void)out;
	get_string(in, name, sizeof(name));
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!driver_name_is_plain(name))
		return refused(ST_BAD_VALUE);
	return os_outcome(os_driver_unload(name));
}

struct outcome op_driver_status(struct agent *a, struct reader *in, struct reply *out)
{
	struct os_driver driver = {.references = -1};
	char name[NAME_SIZE];
	uint32_t error;

	(void)a;
	get_string(in, name, sizeof(name));
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!driver_name_is_plain(name))
		return refused(ST_BAD_VALUE);
	error = os_driver_status(name, &driver);
	put_u8(out, driver.loaded);
	put_u32(out, (uint32_t)driver.references);
	put_blob(out, driver.build_id, driver.build_id_length);
	return os_outcome(error);
}

struct outcome op_file_read(struct agent *a, struct reader *in, struct reply *out)
{
	static char path[PATH_SIZE];
	uint64_t offset;
	uint32_t length, got = 0, error;
	uint8_t *to;

	(void)a;
	get_string(in, path, sizeof(path));
	offset = get_u64(in);
	length = get_u32(in);
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	to = put_space(out, length);
	if (!to)
		return refused(out->broken);
	error = os_file_read(path, offset, to, length, &got);
	out->length -= length - got;
	return os_outcome(error);
}

struct outcome op_file_write(struct agent *a, struct reader *in, struct reply *out)
{
	static char path[PATH_SIZE];
	uint32_t flags, mode, length, written = 0, error;
	uint64_t offset;
	const uint8_t *from;

	(void)a;
	get_string(in, path, sizeof(path));
	flags = get_u32(in);
	mode = get_u32(in);
	offset = get_u64(in);
	from = get_blob(in, &length);
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (flags & ~FWRITE_FLAGS)
		return refused(ST_BAD_VALUE);
	error = os_file_write(path, offset, from, length, flags, mode, &written);
	put_u32(out, written);
	return os_outcome(error);
}

static bool put_name(void *to, const char *name)
{
	put_string(to, name);
	return !((struct reply *)to)->broken;
}

struct outcome op_file_list(struct agent *a, struct reader *in, struct reply *out)
{
	static char path[PATH_SIZE];

	(void)a;
	get_string(in, path, sizeof(path));
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	return os_outcome(os_file_list(path, put_name, out));
}

struct outcome op_file_stat(struct agent *a, struct reader *in, struct reply *out)
{
	static char path[PATH_SIZE];
	struct os_file_facts facts = {0};
	uint32_t error;

	(void)a;
	get_string(in, path, sizeof(path));
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	error = os_file_stat(path, &facts);
	put_u32(out, facts.mode);
	put_u32(out, facts.user);
	put_u32(out, facts.group);
	put_u64(out, facts.size);
	return os_outcome(error);
}
