/* SPDX-License-Identifier: MIT */
/* Payload bytes: reading with bounds, and a reply that grows. All integers are little-endian. */
#ifndef AGENT_BYTES_H
#define AGENT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buffer.h"

/* A short read sets `bad` and yields zeros from then on: check reader_done() once, after the last
 * field. */
struct reader {
	const uint8_t *at;
	size_t left;
	bool bad;
};

uint8_t get_u8(struct reader *r);
uint16_t get_u16(struct reader *r);
uint32_t get_u32(struct reader *r);
uint64_t get_u64(struct reader *r);
/* NULL when fewer than n bytes are left. */
const uint8_t *get_bytes(struct reader *r, size_t n);
/* u32 length and that many bytes; NULL (and bad) when they are not there. */
const uint8_t *get_blob(struct reader *r, uint32_t *length);
/* u16 length and text; an embedded NUL or more than size - 1 bytes are bad. */
void get_string(struct reader *r, char *to, size_t size);
/* Every field was there and nothing is left over. */
bool reader_done(const struct reader *r);

/*
 * A frame being built. `base` is where the status of the current reply lies (a batch nests
 * replies), `limit` where it must end. A put that does not fit is remembered and turns the reply
 * into TOO_LONG or NO_MEMORY.
 */
struct reply {
	struct buffer bytes;
	size_t length;
	size_t base;
	size_t limit;
	uint32_t broken;
};

/* What a handler hands back; bytes it has put are dropped unless status is ST_OK. */
struct outcome {
	uint32_t status;
	uint32_t os_error;
};

struct outcome done(void);
struct outcome refused(uint32_t status);
/* error 0 is success. */
struct outcome os_outcome(uint32_t error);

/* Starts a frame: room for its header, and the whole payload as limit. */
void reply_open(struct reply *r);
void reply_begin(struct reply *r);
void reply_end(struct reply *r, struct outcome outcome);
/* Room for n bytes, valid until the next put; NULL when they do not fit. */
uint8_t *put_space(struct reply *r, size_t n);
void put_u8(struct reply *r, uint8_t value);
void put_u16(struct reply *r, uint16_t value);
void put_u32(struct reply *r, uint32_t value);
void put_u64(struct reply *r, uint64_t value);
void put_bytes(struct reply *r, const void *from, size_t n);
/* u32 length and bytes. */
void put_blob(struct reply *r, const void *from, uint32_t n);
/* u16 length and text, cut at 65535 bytes. */
void put_string(struct reply *r, const char *text);

void store_u16(uint8_t *to, uint16_t value);
void store_u32(uint8_t *to, uint32_t value);
uint16_t load_u16(const uint8_t *from);
uint32_t load_u32(const uint8_t *from);

#endif
