/* SPDX-License-Identifier: MIT */
#include "frame.h"

#include <string.h>

#include "bytes.h"
#include "proto.h"

#define MAGIC_SIZE 4u

static const uint8_t frame_magic[MAGIC_SIZE] = {'S', 'D', 'A', '1'};

void frame_header(uint8_t *to, uint32_t length, uint32_t id, uint16_t client, uint16_t op)
{
	memcpy(to, frame_magic, MAGIC_SIZE);
	store_u32(to + 4, length);
	store_u32(to + 8, id);
	store_u16(to + 12, client);
	store_u16(to + 14, op);
}

static void inbox_compact(struct inbox *box)
{
	if (box->start == 0)
		return;
	memmove(box->bytes.data, box->bytes.data + box->start, box->end - box->start);
	box->end -= box->start;
	box->start = 0;
}

void inbox_begin(struct inbox *box, uint8_t *own, size_t size)
{
	*box = (struct inbox){0};
	buffer_begin(&box->bytes, own, size);
}

uint8_t *inbox_space(struct inbox *box, size_t *room)
{
	if (box->start == box->end) {
		box->start = box->end = 0;
		buffer_shrink(&box->bytes);
	}
	if (box->end == box->bytes.capacity)
		inbox_compact(box);
	*room = box->bytes.capacity - box->end;
	return box->bytes.data + box->end;
}

/* Bytes of the magic that the stream agrees with, up to the end of what is there. */
static size_t magic_match(const uint8_t *at, size_t have)
{
	size_t n = 0;

	while (n < have && n < MAGIC_SIZE && at[n] == frame_magic[n])
		n++;
	return n;
}

/* Drops bytes until the rest begins with the magic or with a part of it at the very end. */
static bool inbox_scan(struct inbox *box)
{
	for (; box->start < box->end; box->start++) {
		size_t have = box->end - box->start;
		size_t n = magic_match(box->bytes.data + box->start, have);

		if (n == MAGIC_SIZE)
			return true;
		if (n == have)
			return false;
	}
	return false;
}

static enum frame_state inbox_lose(struct inbox *box, size_t drop, enum frame_state state)
{
	box->start += drop;
	box->lost = true;
	return state;
}

enum frame_state inbox_next(struct inbox *box, struct frame *f)
{
	const uint8_t *at;
	size_t have, total;

	*f = (struct frame){0};
	if (box->lost) {
		if (!inbox_scan(box))
			return FRAME_NONE;
		box->lost = false;
	}
	have = box->end - box->start;
	if (have == 0)
		return FRAME_NONE;
	at = box->bytes.data + box->start;
	if (magic_match(at, have) < (have < MAGIC_SIZE ? have : MAGIC_SIZE))
		return inbox_lose(box, 1, FRAME_GARBAGE);
	if (have < FRAME_HEADER)
		return FRAME_NONE;

	f->length = load_u32(at + 4);
	f->id = load_u32(at + 8);
	f->client = load_u16(at + 12);
	f->op = load_u16(at + 14);
	if (f->length > FRAME_MAX_PAYLOAD)
		return inbox_lose(box, MAGIC_SIZE, FRAME_TOO_LONG);
	total = FRAME_HEADER + f->length;
	if (have >= total) {
		f->raw = box->bytes.data + box->start;
		f->payload = f->raw + FRAME_HEADER;
		box->start += total;
		return FRAME_READY;
	}
	if (box->bytes.capacity - box->start < total) {
		inbox_compact(box);
		if (!buffer_reserve(&box->bytes, total, box->end))
			return inbox_lose(box, MAGIC_SIZE, FRAME_NO_MEMORY);
	}
	return FRAME_NONE;
}

bool inbox_is_partial(const struct inbox *box)
{
	return box->end > box->start;
}

void inbox_give_up(struct inbox *box)
{
	if (box->end - box->start < MAGIC_SIZE)
		box->start = box->end;
	else
		box->start += MAGIC_SIZE;
	box->lost = true;
}

void inbox_clear(struct inbox *box)
{
	box->start = box->end = 0;
	box->lost = false;
	buffer_shrink(&box->bytes);
}
