// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

/*
 * The top bit is clear and the next one set: below the kernel's half, and on AMD64 not canonical,
 * so that no address space can ever have something there. An odd value is no page and no object
 * either.
 */
static uintptr_t token_shape(uintptr_t value)
{
	const uintptr_t low_half = ~(uintptr_t)0 >> 1;

	return (value & low_half) | (low_half - (low_half >> 1)) | 1;
}

uintptr_t supdrv_token_make(void)
{
	uintptr_t token;

	supdrv_os_random(&token, sizeof(token));
	return token_shape(token);
}

/* The step is twice an odd number, so it meets all odd values before it meets one again. */
uintptr_t supdrv_token_derive(uintptr_t token, uint64_t serial)
{
	return token_shape(token + (uintptr_t)serial * (2 * (uintptr_t)0x5E3779B1));
}
