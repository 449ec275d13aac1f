/* SPDX-License-Identifier: MIT */
/* What the driver offers to images, and what the tests' own images share. */
#ifndef RING0_H
#define RING0_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int SUPR0Printf(const char *format, ...);
void *RTMemAlloc(size_t size);
void *RTMemAllocZ(size_t size);
void RTMemFree(void *memory);
int RTSemFastMutexCreate(void **mutex);
int RTSemFastMutexDestroy(void *mutex);
int RTSemFastMutexRequest(void *mutex);
int RTSemFastMutexRelease(void *mutex);
int RTSpinlockCreate(void **lock);
int RTSpinlockDestroy(void *lock);
void RTSpinlockAcquire(void *lock, void *saved);
void RTSpinlockRelease(void *lock, void *saved);
void *RTThreadSelf(void);
int RTThreadSleep(uint32_t milliseconds);
bool RTThreadYield(void);

int32_t image_init(void);
void image_term(void);
int32_t image_entry(uintptr_t vm, uint32_t operation, void *argument);

#endif
