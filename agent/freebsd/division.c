/* SPDX-License-Identifier: MIT */
/* Division of 64-bit numbers, for which compilers call a library on x86. */
#include <stdint.h>

#ifdef __i386__
uint64_t __udivmoddi4(uint64_t number, uint64_t by, uint64_t *rest);
uint64_t __udivdi3(uint64_t number, uint64_t by);
uint64_t __umoddi3(uint64_t number, uint64_t by);

uint64_t __udivmoddi4(uint64_t number, uint64_t by, uint64_t *rest)
{
	uint64_t quotient = 0, left = 0;
	int bit;

	for (bit = 63; bit >= 0; bit--) {
		left = left << 1 | (number >> bit & 1);
		if (left >= by) {
			left -= by;
			quotient |= (uint64_t)1 << bit;
		}
	}
	if (rest)
		*rest = left;
	return quotient;
}

uint64_t __udivdi3(uint64_t number, uint64_t by)
{
	return __udivmoddi4(number, by, 0);
}

uint64_t __umoddi3(uint64_t number, uint64_t by)
{
	uint64_t rest;

	__udivmoddi4(number, by, &rest);
	return rest;
}
#endif
