/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the FreeBSD glue share. */
#ifndef SUPDRV_FREEBSD_H
#define SUPDRV_FREEBSD_H

#include "supdrv_core.h"

#include <sys/malloc.h>

MALLOC_DECLARE(M_SUPDRV);

/* The device of this load, from before the node appears until after it is gone. */
extern struct supdrv_device *supdrv_freebsd_device;

/* 0 or a positive errno. */
int supdrv_file_register(void);
/* Whether a session is open. */
bool supdrv_file_in_use(void);
/* No session can be opened any more. EBUSY, and nothing changes, while one is open. */
int supdrv_file_unregister(void);

/* hw.supdrv: what the driver tells of itself. */
void supdrv_sysctl_create(const struct supdrv_config *config);
/* When it returns, nobody reads any more. */
void supdrv_sysctl_remove(void);

void supdrv_pins_init(void);
void supdrv_pins_destroy(void);
/* Bytes that a process has pinned. */
uint64_t supdrv_pins_locked(pid_t owner);

/* Whether the calling thread will never be back in its program. */
bool supdrv_thread_is_killed(void);

/* Zeroed; NULL when there is not enough. Only large memory can be refused. */
void *supdrv_memory_alloc(size_t size);

/* 0 or a positive errno for a SUPDRV_ code. */
int supdrv_errno_from_status(int32_t status);
/* The errno for a fast request's result below 0. */
int supdrv_errno_from_fast(int32_t result);

#ifdef SUPDRV_FAULTS
extern const struct supdrv_request supdrv_fault_request;
void supdrv_faults_init(void);
void supdrv_faults_destroy(void);
/* Fails if a request has asked for that. */
void supdrv_fault_on_unload(void);
#else
static inline void supdrv_faults_init(void)
{
}
static inline void supdrv_faults_destroy(void)
{
}
static inline void supdrv_fault_on_unload(void)
{
}
#endif

#endif
