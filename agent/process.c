/* SPDX-License-Identifier: MIT */
/* What a process can do to another one and to itself. */
#include "agent.h"

struct outcome op_process_write(struct agent *a, struct reader *in, struct reply *out)
{
	uint32_t pid = get_u32(in), how = get_u32(in), length;
	uint64_t address = get_u64(in);
	const uint8_t *from = get_blob(in, &length);

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(address) || how > WRITE_DEBUG)
		return refused(ST_BAD_VALUE);
	return os_outcome(how == WRITE_COPY ? os_process_copy(pid, address, from, length)
					    : os_process_debug(pid, address, from, length));
}

struct outcome op_demote(struct agent *a, struct reader *in, struct reply *out)
{
	uint32_t user = get_u32(in);
	uint64_t lockable = get_u64(in);

	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!a->is_client)
		return refused(ST_UNSUPPORTED);
	return os_outcome(os_demote(user, lockable));
}
