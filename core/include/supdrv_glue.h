/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the core calls in an OS's glue.
 *
 * The glue also has a header "supdrv_os.h" on the include path. It provides the fixed-width types,
 * size_t, bool, offsetof, memcpy, memset and memcmp, defines SUPDRV_TYPES_PROVIDED, and defines
 * struct supdrv_lock, a mutex that the core embeds in its objects.
 *
 * Everything here is called in the context of a request, of an open or close, or of load or unload,
 * and may sleep.
 */
#ifndef SUPDRV_GLUE_H
#define SUPDRV_GLUE_H

#include "supdrv_os.h"

/* Zeroed kernel memory that is never executable. NULL when there is none. */
void *supdrv_os_alloc(size_t size);
/* NULL is allowed. */
void supdrv_os_free(void *memory);

/* Fills memory from the kernel's cryptographic generator. */
void supdrv_os_random(void *memory, size_t size);

/* A mutex that is not recursive. The core never holds two at a time. */
void supdrv_os_lock_init(struct supdrv_lock *lock);
void supdrv_os_lock_destroy(struct supdrv_lock *lock);
void supdrv_os_lock_acquire(struct supdrv_lock *lock);
void supdrv_os_lock_release(struct supdrv_lock *lock);

struct supdrv_paging {
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;	   /* 0 where features has neither NX nor LM, or CR4.PAE is clear */
	uint32_t features; /* EDX of CPUID leaf 0x80000001, 0 if there is no such leaf */
};

/* All values are of one CPU. */
void supdrv_os_paging_read(struct supdrv_paging *paging);

#endif
