/* SPDX-License-Identifier: MIT */
/* Division of 64-bit numbers, which a compiler for 32 bits calls by these names. */
#include <stdint.h>

uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t *rest);
uint64_t __udivdi3(uint64_t a, uint64_t b);
uint64_t __umoddi3(uint64_t a, uint64_t b);
int64_t __divdi3(int64_t a, int64_t b);
int64_t __moddi3(int64_t a, int64_t b);

/* b < 2^32: two divisions of 64 bits by 32. */
static uint64_t divide_short(uint64_t a, uint32_t b, uint64_t *rest)
{
	uint32_t high = (uint32_t)(a >> 32), low = (uint32_t)a, left = high % b;

	high /= b;
	__asm__("divl %2" : "+a"(low), "+d"(left) : "r"(b));
	*rest = left;
	return (uint64_t)high << 32 | low;
}

uint64_t __udivmoddi4(uint64_t a, uint64_t b, uint64_t *rest)
{
	uint64_t result = 0;
	int shift;

	if (b >> 32 == 0)
		return divide_short(a, (uint32_t)b, rest);
	*rest = a;
	if (b > a)
		return 0;
	shift = __builtin_clz((uint32_t)(b >> 32)) -
		(a >> 32 ? __builtin_clz((uint32_t)(a >> 32)) : 32);
	for (; shift >= 0; shift--) {
		result <<= 1;
		if (*rest >= b << shift) {
			*rest -= b << shift;
			result |= 1;
		}
	}
	return result;
}

uint64_t __udivdi3(uint64_t a, uint64_t b)
{
	uint64_t rest;

	return __udivmoddi4(a, b, &rest);
}

uint64_t __umoddi3(uint64_t a, uint64_t b)
{
	uint64_t rest;

	__udivmoddi4(a, b, &rest);
	return rest;
}

static uint64_t size_of(int64_t value)
{
	return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

int64_t __divdi3(int64_t a, int64_t b)
{
	uint64_t result = __udivdi3(size_of(a), size_of(b));

	return (int64_t)((a < 0) != (b < 0) ? 0 - result : result);
}

int64_t __moddi3(int64_t a, int64_t b)
{
	uint64_t rest = __umoddi3(size_of(a), size_of(b));

	return (int64_t)(a < 0 ? 0 - rest : rest);
}
