// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the compiler calls on x86 and the kernel does not have. */
#include <stddef.h>
#include <stdint.h>

int memcmp(const void *left, const void *right, size_t size);
uint64_t __udivdi3(uint64_t dividend, uint64_t divisor);
uint64_t __umoddi3(uint64_t dividend, uint64_t divisor);

int memcmp(const void *left, const void *right, size_t size)
{
	const uint8_t *a = left, *b = right;

	for (; size; size--, a++, b++)
		if (*a != *b)
			return *a - *b;
	return 0;
}

/* Bit by bit; the driver divides a few times in each tick of its timer. */
static uint64_t divide(uint64_t dividend, uint64_t divisor, uint64_t *rest)
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
