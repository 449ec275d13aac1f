/* SPDX-License-Identifier: MIT */
/* Rings of bytes. */
#include "process.h"

uint32_t ready_event;

uint32_t ring_put(struct ring *r, const void *from, uint32_t length)
{
	uint32_t room = ring_room(r), n = length < room ? length : room;
	uint32_t at = r->in & (r->size - 1), first = r->size - at < n ? r->size - at : n;

	memcpy(r->bytes + at, from, first);
	memcpy(r->bytes, (const char *)from + first, n - first);
	r->in += n;
	return n;
}

uint32_t ring_take(struct ring *r, void *to, uint32_t length)
{
	uint32_t used = ring_used(r), n = length < used ? length : used;
	uint32_t at = r->out & (r->size - 1), first = r->size - at < n ? r->size - at : n;

	memcpy(to, r->bytes + at, first);
	memcpy((char *)to + first, r->bytes, n - first);
	r->out += n;
	return n;
}

void ready_changed(void)
{
	wake((uint32_t)&ready_event);
}
