/* SPDX-License-Identifier: MIT */
/*
 * memcpy, memmove, memset, by words. String instructions are what an emulator is slowest at: it
 * takes each repetition for a step of its own.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

typedef uint32_t word __attribute__((may_alias, aligned(1)));

#define UNROLLED 8

void *memcpy(void *to, const void *from, size_t n)
{
	word *t = to;
	const word *f = from;
	uint8_t *tail;
	const uint8_t *rest;

	for (; n >= UNROLLED * sizeof(*t);
	     n -= UNROLLED * sizeof(*t), t += UNROLLED, f += UNROLLED) {
		t[0] = f[0];
		t[1] = f[1];
		t[2] = f[2];
		t[3] = f[3];
		t[4] = f[4];
		t[5] = f[5];
		t[6] = f[6];
		t[7] = f[7];
	}
	for (; n >= sizeof(*t); n -= sizeof(*t))
		*t++ = *f++;
	for (tail = (uint8_t *)t, rest = (const uint8_t *)f; n; n--)
		*tail++ = *rest++;
	return to;
}

void *memmove(void *to, const void *from, size_t n)
{
	uint8_t *t = to;
	const uint8_t *f = from;

	if (t <= f || t >= f + n)
		return memcpy(to, from, n);
	for (; n >= sizeof(word); n -= sizeof(word))
		*(word *)(t + n - sizeof(word)) = *(const word *)(f + n - sizeof(word));
	while (n--)
		t[n] = f[n];
	return to;
}

void *memset(void *to, int value, size_t n)
{
	word *t = to, all = (uint8_t)value * 0x01010101u;
	uint8_t *tail;

	for (; n >= UNROLLED * sizeof(*t); n -= UNROLLED * sizeof(*t), t += UNROLLED) {
		t[0] = all;
		t[1] = all;
		t[2] = all;
		t[3] = all;
		t[4] = all;
		t[5] = all;
		t[6] = all;
		t[7] = all;
	}
	for (tail = (uint8_t *)t; n; n--)
		*tail++ = (uint8_t)value;
	return to;
}
