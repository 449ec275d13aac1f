/* SPDX-License-Identifier: MIT */
#include "buffer.h"

#include <stdlib.h>
#include <string.h>

/* Heaps give back to the system what is at least so large as soon as it is freed. */
#define LARGE (256u * 1024)

void buffer_begin(struct buffer *b, uint8_t *own, size_t size)
{
	*b = (struct buffer){.own = own, .own_size = size, .data = own, .capacity = size};
}

void buffer_shrink(struct buffer *b)
{
	if (b->data != b->own)
		free(b->data);
	b->data = b->own;
	b->capacity = b->own_size;
}

bool buffer_reserve(struct buffer *b, size_t size, size_t used)
{
	uint8_t *data;

	if (size <= b->capacity)
		return true;
	if (size < LARGE)
		size = LARGE;
	if (size < 2 * b->capacity)
		size = 2 * b->capacity;
	data = malloc(size);
	if (!data)
		return false;
	memcpy(data, b->data, used);
	buffer_shrink(b);
	b->data = data;
	b->capacity = size;
	return true;
}
