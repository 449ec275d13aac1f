/* SPDX-License-Identifier: MIT */
/* What the driver offers to images, and what the tests' own images share. */
#ifndef RING0_H
#define RING0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What functions have in common with a driver for Windows. On x86 they have it everywhere. */
#if defined(IMAGE_FOR_WINDOWS) && defined(__x86_64__)
#define CALLBACK __attribute__((ms_abi))
#else
#define CALLBACK
#endif

int CALLBACK SUPR0Printf(const char *format, ...);
void *CALLBACK RTMemAlloc(size_t size);
void *CALLBACK RTMemAllocZ(size_t size);
void CALLBACK RTMemFree(void *memory);
int CALLBACK RTSemFastMutexCreate(void **mutex);
int CALLBACK RTSemFastMutexDestroy(void *mutex);
int CALLBACK RTSemFastMutexRequest(void *mutex);
int CALLBACK RTSemFastMutexRelease(void *mutex);
int CALLBACK RTSpinlockCreate(void **lock);
int CALLBACK RTSpinlockDestroy(void *lock);
void CALLBACK RTSpinlockAcquire(void *lock, void *saved);
void CALLBACK RTSpinlockRelease(void *lock, void *saved);
void *CALLBACK RTThreadSelf(void);
int CALLBACK RTThreadSleep(uint32_t milliseconds);
bool CALLBACK RTThreadYield(void);

int32_t CALLBACK image_init(void);
void CALLBACK image_term(void);
int32_t CALLBACK image_entry(uintptr_t vm, uint32_t operation, void *argument);

#endif
