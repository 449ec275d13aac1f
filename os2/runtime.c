// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the compiler and the core take from a library elsewhere. */
#include "supdrv_os.h"

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);

/* By words: string instructions are what an emulator is slowest at. */
typedef uint32_t word __attribute__((may_alias, aligned(1)));

void *memcpy(void *to, const void *from, size_t size)
{
	uint8_t *target = to;
	const uint8_t *source = from;

	for (; size >= 4 * sizeof(word); size -= 4 * sizeof(word)) {
		((word *)target)[0] = ((const word *)source)[0];
		((word *)target)[1] = ((const word *)source)[1];
		((word *)target)[2] = ((const word *)source)[2];
		((word *)target)[3] = ((const word *)source)[3];
		target += 4 * sizeof(word);
		source += 4 * sizeof(word);
	}
	for (; size; size--)
		*target++ = *source++;
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	uint8_t *target = to;
	const uint8_t *source = from;

	if (target <= source)
		return memcpy(to, from, size);
	while (size--)
		target[size] = source[size];
	return to;
}

void *memset(void *memory, int value, size_t size)
{
	uint8_t *at = memory;
	word all = (uint8_t)value * 0x01010101u;

	for (; size >= 4 * sizeof(word); size -= 4 * sizeof(word), at += 4 * sizeof(word)) {
		((word *)at)[0] = all;
		((word *)at)[1] = all;
		((word *)at)[2] = all;
		((word *)at)[3] = all;
	}
	for (; size; size--)
		*at++ = (uint8_t)value;
	return memory;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const uint8_t *a = left, *b = right;

	for (; size; size--, a++, b++)
		if (*a != *b)
			return *a - *b;
	return 0;
}

void *memchr(const void *memory, int value, size_t size)
{
	const uint8_t *at = memory;

	for (; size; size--, at++)
		if (*at == (uint8_t)value)
			return (void *)(uintptr_t)at;
	return NULL;
}

int strcmp(const char *left, const char *right)
{
	for (; *left && *left == *right; left++, right++)
		;
	return (uint8_t)*left - (uint8_t)*right;
}

size_t strlen(const char *text)
{
	const char *end = text;

	while (*end)
		end++;
	return (size_t)(end - text);
}

/* By a divisor of 32 bits the processor does it in two steps; others are rare, and done bit by bit.
 */
static uint64_t divide_short(uint64_t dividend, uint32_t divisor, uint64_t *rest)
{
	uint32_t high = (uint32_t)(dividend >> 32) / divisor;
	uint32_t low, left = (uint32_t)(dividend >> 32) % divisor;

	__asm__("divl %4"
		: "=a"(low), "=d"(left)
		: "0"((uint32_t)dividend), "1"(left), "rm"(divisor)
		: "cc");
	*rest = left;
	return (uint64_t)high << 32 | low;
}

static uint64_t divide_long(uint64_t dividend, uint64_t divisor, uint64_t *rest)
{
	uint64_t quotient = 0, left = 0;
	int bit;

	for (bit = 63; bit >= 0; bit--) {
		const uint64_t carry = left >> 63;

		left = left << 1 | (dividend >> bit & 1);
		quotient <<= 1;
		if (carry || left >= divisor) {
			left -= divisor;
			quotient |= 1;
		}
	}
	*rest = left;
	return quotient;
}

static uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *rest)
{
	if (divisor >> 32)
		return divide_long(dividend, divisor, rest);
	return divide_short(dividend, (uint32_t)divisor, rest);
}

uint64_t __udivdi3(uint64_t dividend, uint64_t divisor)
{
	uint64_t rest;

	return divide(dividend, divisor, &rest);
}

uint64_t __umoddi3(uint64_t dividend, uint64_t divisor)
{
	uint64_t rest;

	divide(dividend, divisor, &rest);
	return rest;
}
