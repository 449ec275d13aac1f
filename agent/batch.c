/* SPDX-License-Identifier: MIT */
/* Several ops for one round trip. */
#include "agent.h"

/* Every sub-reply has at least its length, status and os_error. */
#define SUB_REPLY_MIN (4u + REPLY_HEADER)

/* Counts the sub-frames; false when the list is not well-formed, and nothing is then executed. */
static bool batch_count(struct reader in, uint32_t *count)
{
	for (*count = 0; in.left > 0; ++*count) {
		uint32_t length;

		get_u16(&in);
		get_blob(&in, &length);
		if (in.bad)
			return false;
	}
	return !in.bad;
}

struct outcome op_batch(struct agent *a, struct reader *in, struct reply *out)
{
	uint32_t flags = get_u32(in), count, ran = 0;
	size_t base = out->base, limit = out->limit, count_at = out->length;

	if (in->bad || !batch_count(*in, &count))
		return refused(ST_BAD_PAYLOAD);
	if (flags & ~BATCH_STOP)
		return refused(ST_BAD_VALUE);
	if ((uint64_t)count * SUB_REPLY_MIN + 4 > limit - out->length)
		return refused(ST_TOO_LONG);
	put_u32(out, 0);
	while (ran < count) {
		uint16_t op = get_u16(in);
		uint32_t length, status;
		const uint8_t *payload = get_blob(in, &length);
		size_t length_at = out->length;

		ran++;
		out->limit = limit - (size_t)(count - ran) * SUB_REPLY_MIN;
		if (!put_space(out, SUB_REPLY_MIN))
			break;
		out->length = length_at + 4;
		status = op_run(a, op, payload, length, out, true);
		store_u32(out->bytes.data + length_at, (uint32_t)(out->length - length_at - 4));
		if (status != ST_OK && (flags & BATCH_STOP))
			break;
	}
	out->base = base;
	out->limit = limit;
	if (out->broken)
		return refused(out->broken);
	store_u32(out->bytes.data + count_at, ran);
	return done();
}
