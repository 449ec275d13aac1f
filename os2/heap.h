/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Small pieces of memory out of pages. */
#ifndef SUPDRV_HEAP_H
#define SUPDRV_HEAP_H

#include "supdrv_os.h"

/* Where whole pages come from and go to. Zeroed or not; at an address that is one of a page. */
void *heap_pages_get(size_t size);
void heap_pages_release(void *memory);
/* Somebody has released what is none of the heap's, or twice. */
_Noreturn void heap_broken(const char *what);

/* Zeroed. NULL when there is none. */
void *heap_get(size_t size);
/* NULL is allowed. */
void heap_release(void *memory);
/* Pages that the heap has in use for small pieces. */
size_t heap_slabs(void);

#endif
