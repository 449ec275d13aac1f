/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Calls that raise an exception where the client's memory is not what it should be. Each returns
 * the exception's code, 0 if there was none. They know nothing of the kernel's headers: guarded.c
 * is built for another C ABI than the rest, the only one with exception handlers on x86.
 */
#ifndef SUPDRV_GUARDED_H
#define SUPDRV_GUARDED_H

#include <stdint.h>

/* Locks a list's pages of the calling process for reading and writing. */
int32_t supdrv_guarded_lock(void *mdl);
/* Maps a list's pages into the calling process, where *address tells; NULL if there is no room. */
int32_t supdrv_guarded_map(void *mdl, uint32_t priority, void **address);
/* Stores a word in the calling process. */
int32_t supdrv_guarded_store(void *where, int32_t value);

#endif
