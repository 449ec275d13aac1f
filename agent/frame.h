/* SPDX-License-Identifier: MIT */
/* Frames out of a byte stream. */
#ifndef AGENT_FRAME_H
#define AGENT_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* `raw` is the header as received, the payload follows it. Valid until the next inbox_space(). */
struct frame {
	uint8_t *raw;
	uint8_t *payload;
	uint32_t length;
	uint32_t id;
	uint16_t client;
	uint16_t op;
};

enum frame_state {
	FRAME_NONE,    /* more bytes are needed */
	FRAME_READY,   /* *f is a whole frame */
	FRAME_GARBAGE, /* no magic here; told once, the stream is then scanned for the next magic */
	FRAME_TOO_LONG,	 /* only the header fields of *f are set; the stream is then scanned */
	FRAME_NO_MEMORY, /* likewise */
};

struct inbox {
	struct buffer bytes;
	size_t start;
	size_t end;
	bool lost;
};

/* Empty, with `own` as the buffer's. */
void inbox_begin(struct inbox *box, uint8_t *own, size_t size);
/* Room for the next read. Add what was read to `end`. */
uint8_t *inbox_space(struct inbox *box, size_t *room);
enum frame_state inbox_next(struct inbox *box, struct frame *f);
/* A frame has begun and its rest is missing. */
bool inbox_is_partial(const struct inbox *box);
/* The rest will not come: look for another frame behind the magic of this one. */
void inbox_give_up(struct inbox *box);
/* As it began. */
void inbox_clear(struct inbox *box);

/* Writes the 16 bytes of a header. */
void frame_header(uint8_t *to, uint32_t length, uint32_t id, uint16_t client, uint16_t op);

#endif
