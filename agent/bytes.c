/* SPDX-License-Identifier: MIT */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

#include "proto.h"

void store_u16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

void store_u32(uint8_t *to, uint32_t value)
{
	store_u16(to, (uint16_t)value);
	store_u16(to + 2, (uint16_t)(value >> 16));
}

uint16_t load_u16(const uint8_t *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

uint32_t load_u32(const uint8_t *from)
{
	return load_u16(from) | (uint32_t)load_u16(from + 2) << 16;
}

const uint8_t *get_bytes(struct reader *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->bad || n > r->left) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	r->left -= n;
	return at;
}

uint8_t get_u8(struct reader *r)
{
	const uint8_t *at = get_bytes(r, 1);

	return at ? *at : 0;
}

uint16_t get_u16(struct reader *r)
{
	const uint8_t *at = get_bytes(r, 2);

	return at ? load_u16(at) : 0;
}

uint32_t get_u32(struct reader *r)
{
	const uint8_t *at = get_bytes(r, 4);

	return at ? load_u32(at) : 0;
}

uint64_t get_u64(struct reader *r)
{
	uint64_t low = get_u32(r);

	return low | (uint64_t)get_u32(r) << 32;
}

const uint8_t *get_blob(struct reader *r, uint32_t *length)
{
	*length = get_u32(r);
	return get_bytes(r, *length);
}

void get_string(struct reader *r, char *to, size_t size)
{
	uint16_t length = get_u16(r);
	const uint8_t *from = get_bytes(r, length);

	to[0] = 0;
	if (!from)
		return;
	if (length >= size || memchr(from, 0, length)) {
		r->bad = true;
		return;
	}
	memcpy(to, from, length);
	to[length] = 0;
}

bool reader_done(const struct reader *r)
{
	return !r->bad && r->left == 0;
}

struct outcome done(void)
{
	return (struct outcome){ST_OK, 0};
}

struct outcome refused(uint32_t status)
{
	return (struct outcome){status, 0};
}

struct outcome os_outcome(uint32_t error)
{
	return (struct outcome){error ? ST_OS_ERROR : ST_OK, error};
}

void reply_open(struct reply *r)
{
	buffer_shrink(&r->bytes);
	r->length = FRAME_HEADER;
	r->base = FRAME_HEADER;
	r->limit = FRAME_HEADER + FRAME_MAX_PAYLOAD;
	r->broken = ST_OK;
}

uint8_t *put_space(struct reply *r, size_t n)
{
	uint8_t *at;

	if (r->broken)
		return NULL;
	if (n > r->limit - r->length) {
		r->broken = ST_TOO_LONG;
		return NULL;
	}
	if (!buffer_reserve(&r->bytes, r->length + n, r->length)) {
		r->broken = ST_NO_MEMORY;
		return NULL;
	}
	at = r->bytes.data + r->length;
	r->length += n;
	return at;
}

void reply_begin(struct reply *r)
{
	r->base = r->length;
	put_u32(r, ST_OK);
	put_u32(r, 0);
}

void reply_end(struct reply *r, struct outcome outcome)
{
	if (outcome.status == ST_OK && r->broken)
		outcome = refused(r->broken);
	if (outcome.status != ST_OK)
		r->length = r->base + REPLY_HEADER;
	r->broken = ST_OK;
	store_u32(r->bytes.data + r->base, outcome.status);
	store_u32(r->bytes.data + r->base + 4, outcome.os_error);
}

void put_bytes(struct reply *r, const void *from, size_t n)
{
	uint8_t *to = put_space(r, n);

	if (to && n)
		memcpy(to, from, n);
}

void put_u8(struct reply *r, uint8_t value)
{
	put_bytes(r, &value, 1);
}

void put_u16(struct reply *r, uint16_t value)
{
	uint8_t *to = put_space(r, 2);

	if (to)
		store_u16(to, value);
}

void put_u32(struct reply *r, uint32_t value)
{
	uint8_t *to = put_space(r, 4);

	if (to)
		store_u32(to, value);
}

void put_u64(struct reply *r, uint64_t value)
{
	put_u32(r, (uint32_t)value);
	put_u32(r, (uint32_t)(value >> 32));
}

void put_blob(struct reply *r, const void *from, uint32_t n)
{
	put_u32(r, n);
	put_bytes(r, from, n);
}

void put_string(struct reply *r, const char *text)
{
	size_t length = strlen(text);

	if (length > 0xffff)
		length = 0xffff;
	put_u16(r, (uint16_t)length);
	put_bytes(r, text, length);
}
