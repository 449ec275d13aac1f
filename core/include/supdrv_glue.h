/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What the core calls in an OS's glue.
 *
 * The glue also has a header "supdrv_os.h" on the include path. It provides the fixed-width types,
 * size_t, bool, offsetof, memcpy, memset, memcmp, memchr and strcmp, defines SUPDRV_TYPES_PROVIDED,
 * and defines struct supdrv_lock, a mutex that the core embeds in its objects.
 *
 * Everything here is called in the context of a request, of an open or close, or of load or unload,
 * and may sleep; supdrv_os_time_read() is also called from a timer's tick.
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

/*
 * The functions that ring-0 images may call, in the order QUERY_FUNCS lists them. docs/driver.md
 * has their prototypes.
 */
enum supdrv_function {
	SUPDRV_FUNCTION_PRINTF,
	SUPDRV_FUNCTION_MEM_ALLOC,
	SUPDRV_FUNCTION_MEM_ALLOC_Z,
	SUPDRV_FUNCTION_MEM_FREE,
	SUPDRV_FUNCTION_MUTEX_CREATE,
	SUPDRV_FUNCTION_MUTEX_DESTROY,
	SUPDRV_FUNCTION_MUTEX_REQUEST,
	SUPDRV_FUNCTION_MUTEX_RELEASE,
	SUPDRV_FUNCTION_SPINLOCK_CREATE,
	SUPDRV_FUNCTION_SPINLOCK_DESTROY,
	SUPDRV_FUNCTION_SPINLOCK_ACQUIRE,
	SUPDRV_FUNCTION_SPINLOCK_RELEASE,
	SUPDRV_FUNCTION_THREAD_SELF,
	SUPDRV_FUNCTION_THREAD_SLEEP,
	SUPDRV_FUNCTION_THREAD_YIELD,
	SUPDRV_FUNCTION_COUNT
};

/* The address of a function with the calling convention SUPDRV_CALLBACK. */
uintptr_t supdrv_os_function(enum supdrv_function function);

/*
 * Memory for an image that runs: zeroed, at an address that is a multiple of 32 and stays the same.
 * At first it can be written and not executed. Sealed, it can be executed and not written, by any
 * CPU; at no time both. Unsealing memory that is not sealed does nothing.
 */
void *supdrv_os_image_alloc(uint32_t size);
int32_t supdrv_os_image_seal(void *memory, uint32_t size);
void supdrv_os_image_unseal(void *memory, uint32_t size);
/* Sealed or not. Nobody can execute it any more when this returns. */
void supdrv_os_image_free(void *memory, uint32_t size);

struct supdrv_paging {
	uint64_t cr0;
	uint64_t cr4;
	uint64_t efer;	   /* 0 where features has neither NX nor LM, or CR4.PAE is clear */
	uint32_t features; /* EDX of CPUID leaf 0x80000001, 0 if there is no such leaf */
};

/* All values are of one CPU. */
void supdrv_os_paging_read(struct supdrv_paging *paging);

struct supdrv_time {
	uint64_t ns;  /* since some moment before load; never goes back */
	uint64_t tsc; /* the CPU's time stamp counter at about the same moment */
};

void supdrv_os_time_read(struct supdrv_time *time);

/* Called where nothing may sleep, and never twice at the same time. */
typedef void supdrv_tick(void *argument);
struct supdrv_timer; /* the glue's own */

/*
 * Calls tick every interval_ns from the end of the first interval on; what comes too late is left
 * out. SUPDRV_ERR_NO_MEMORY.
 */
int32_t supdrv_os_timer_start(uint32_t interval_ns, supdrv_tick *tick, void *argument,
			      struct supdrv_timer **timer);
/* When it returns, no tick is under way and none will come. */
void supdrv_os_timer_stop(struct supdrv_timer *timer);

/* The three that follow are the glue's own; what fails leaves nothing behind. */
struct supdrv_pages;   /* physical pages for clients: zeroed, below 4 GiB */
struct supdrv_mapping; /* such pages as one process sees them */
struct supdrv_pin;     /* a client's own pages, held where they are */

/* contiguous: physically. SUPDRV_ERR_NO_MEMORY when there are none. */
int32_t supdrv_os_pages_alloc(uint32_t count, bool contiguous, struct supdrv_pages **pages);
uint64_t supdrv_os_pages_physical(const struct supdrv_pages *pages, uint32_t index);
/* Where the kernel sees contiguous pages, not executable. */
void *supdrv_os_pages_kernel(const struct supdrv_pages *pages);
/* After every mapping of theirs is undone. */
void supdrv_os_pages_free(struct supdrv_pages *pages);

/*
 * Maps all pages into the calling process: never executable, not inherited, and writable or
 * read-only for good. SUPDRV_ERR_NO_MEMORY when the process has no room.
 */
int32_t supdrv_os_map(struct supdrv_pages *pages, bool writable, struct supdrv_mapping **mapping);
uintptr_t supdrv_os_mapping_address(const struct supdrv_mapping *mapping);
/*
 * Takes the pages away from every process that still sees them, whichever process calls. What the
 * owner has put at that address since stays.
 */
void supdrv_os_unmap(struct supdrv_mapping *mapping);

/*
 * Holds count pages of the calling process from a page's address on, resident and writable.
 * SUPDRV_ERR_LOCK_FAILED where one is not mapped or not writable, SUPDRV_ERR_NO_MEMORY.
 */
int32_t supdrv_os_pin(uintptr_t address, uint32_t count, struct supdrv_pin **pin);
uint64_t supdrv_os_pin_physical(const struct supdrv_pin *pin, uint32_t index);
void supdrv_os_unpin(struct supdrv_pin *pin);

#endif
