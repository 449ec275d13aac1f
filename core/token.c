// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

/*
 * The top bit is clear and the next one set: below the kernel's half, and on AMD64 not canonical,
 * so that no address space can ever have something there. An odd value is no page and no object
 * either.
 */
uintptr_t supdrv_token_make(void)
{
	const uintptr_t low_half = ~(uintptr_t)0 >> 1;
	uintptr_t token;

	supdrv_os_random(&token, sizeof(token));
	return (token & low_half) | (low_half - (low_half >> 1)) | 1;
}
