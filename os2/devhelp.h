/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The services of OS/2's kernel that the driver uses, as functions of C. Which registers each of
 * them takes is known to devhelp.c alone. A uint32_t result is 0 or an error of the system.
 */
#ifndef SUPDRV_DEVHELP_H
#define SUPDRV_DEVHELP_H

#include "supdrv_os.h"

/* A run of pages that follow each other in physical memory. */
struct dh_run {
	uint32_t physical;
	uint32_t size;
};

/* What a lock of pages is known by. */
struct dh_lock {
	uint32_t words[3];
};

/* Fixed memory of the kernel, in whole pages; contiguous: physically. */
uint32_t dh_memory_get(uint32_t size, bool contiguous, void **memory);
/* What the above has made, or the one below, this in the process it was made in. */
uint32_t dh_memory_release(uintptr_t address);
/* Lets code in memory of the kernel be run and no more be written, or the other way round. */
uint32_t dh_memory_protect(void *memory, uint32_t size, bool executable);
/* Shows memory of the kernel to the calling process, writable or read-only. */
uint32_t dh_memory_share(void *memory, uint32_t size, bool writable, uintptr_t *address);

/*
 * Holds pages of the calling process, if all of them may be read, or written. With long_term they
 * may stay held for good; then runs, if not NULL, has room for one per page and takes *count.
 */
uint32_t dh_pages_hold(uintptr_t address, uint32_t size, bool writable, bool long_term,
		       struct dh_lock *lock, struct dh_run *runs, uint32_t *count);
void dh_pages_let_go(struct dh_lock *lock);
/* Where memory of the kernel lies: runs has room for one per page. */
uint32_t dh_pages_find(const void *memory, uint32_t size, struct dh_run *runs, uint32_t *count);

/* The address of what a request packet points to. */
uint32_t dh_linear(uint32_t pointer, uintptr_t *address);

/* Of the calling process. */
uint32_t dh_process(void);
/* Since the system's start. */
uint64_t dh_nanoseconds(void);

/* Calls handler in each interrupt of the clock, every so many nanoseconds. */
#define DH_TICK_NS 10000000u
typedef void dh_tick(void);
uint32_t dh_ticks_start(dh_tick *handler);
void dh_ticks_stop(dh_tick *handler);

#define DH_FOREVER 0xFFFFFFFFu

/* Waits until someone wakes what waits for id. False: the time is over, or (interruptible only) the
 * process is to end. */
bool dh_block(const void *id, uint32_t milliseconds, bool interruptible);
void dh_wake(const void *id);
void dh_yield(void);
/* A value that is the calling thread's own. */
void *dh_thread(void);

/* A line for the console, without a line feed. */
void dh_message(const char *text);
/* Stops the system. */
_Noreturn void dh_stop(const char *text);

#endif
