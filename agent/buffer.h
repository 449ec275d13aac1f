/* SPDX-License-Identifier: MIT */
/* Bytes that can become more. */
#ifndef AGENT_BUFFER_H
#define AGENT_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * `own` is there from the program's start and never moves; only what does not fit has memory of the
 * heap, for as long as it is needed. So it does not depend on what a process did before where its
 * memory has holes, and copies of it have theirs at the same addresses: tests of what is mapped
 * where count on that.
 */
struct buffer {
	uint8_t *own;
	size_t own_size;
	uint8_t *data;
	size_t capacity;
};

void buffer_begin(struct buffer *b, uint8_t *own, size_t size);
/* Room for `size` bytes; the first `used` are kept, `data` may change. False: no memory. */
bool buffer_reserve(struct buffer *b, size_t size, size_t used);
/* Back to its own, whatever is in it. */
void buffer_shrink(struct buffer *b);

#endif
