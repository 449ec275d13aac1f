// SPDX-License-Identifier: MIT
/* Calls every function that the driver offers; answers 0, or the line of what was wrong. */
#include "ring0.h"

#define PAGE 4096u
#define EXPECT(x)                                                                                  \
	do {                                                                                       \
		if (!(x))                                                                          \
			return __LINE__;                                                           \
	} while (0)

enum operation { PRINTF, MEMORY, MUTEX, SPINLOCK, SELF, SLEEP, YIELD };

static int32_t check_printf(uintptr_t number)
{
	SUPR0Printf("callbacks: %s %lu %c%x\n", "number", (unsigned long)number, '0', 0xbeef);
	return 0;
}

static bool is_filled_with(const uint8_t *memory, size_t size, uint8_t byte)
{
	for (size_t i = 0; i < size; i++)
		if (memory[i] != byte)
			return false;
	return true;
}

/* The first memory has another content, so that zeroes in the second are no accident. */
static int32_t check_memory(size_t size)
{
	volatile uint8_t *memory = RTMemAlloc(size);

	EXPECT(memory);
	for (size_t i = 0; i < size; i++)
		memory[i] = 0xA5;
	EXPECT(is_filled_with((const uint8_t *)memory, size, 0xA5));
	RTMemFree((void *)memory);
	memory = RTMemAllocZ(size);
	EXPECT(memory);
	EXPECT(is_filled_with((const uint8_t *)memory, size, 0));
	RTMemFree((void *)memory);
	RTMemFree(NULL);
	EXPECT(!RTMemAlloc((size_t)1 << (8 * sizeof(size) - 2)));
	return 0;
}

static int32_t check_mutex(void)
{
	void *mutex = NULL, *other = NULL;

	EXPECT(RTSemFastMutexCreate(&mutex) == 0 && mutex);
	EXPECT(RTSemFastMutexCreate(&other) == 0 && other && other != mutex);
	EXPECT(RTSemFastMutexRequest(mutex) == 0);
	EXPECT(RTSemFastMutexRequest(other) == 0);
	EXPECT(RTThreadSleep(1) == 0);
	EXPECT(RTSemFastMutexRelease(mutex) == 0);
	EXPECT(RTSemFastMutexRelease(other) == 0);
	EXPECT(RTSemFastMutexRequest(mutex) == 0);
	EXPECT(RTSemFastMutexRelease(mutex) == 0);
	EXPECT(RTSemFastMutexDestroy(mutex) == 0);
	EXPECT(RTSemFastMutexDestroy(other) == 0);
	return 0;
}

static int32_t check_spinlock(void)
{
	uintptr_t saved[2];
	void *lock = NULL;

	EXPECT(RTSpinlockCreate(&lock) == 0 && lock);
	for (int i = 0; i < 3; i++) {
		RTSpinlockAcquire(lock, saved);
		RTSpinlockRelease(lock, saved);
	}
	EXPECT(RTSpinlockDestroy(lock) == 0);
	return 0;
}

static int32_t check_self(void)
{
	void *self = RTThreadSelf();

	EXPECT(self);
	RTThreadYield();
	EXPECT(RTThreadSelf() == self);
	return 0;
}

int32_t image_entry(uintptr_t vm, uint32_t operation, void *argument)
{
	(void)argument;
	switch (operation) {
	case PRINTF:
		return check_printf(vm);
	case MEMORY:
		return check_memory(vm);
	case MUTEX:
		return check_mutex();
	case SPINLOCK:
		return check_spinlock();
	case SELF:
		return check_self();
	case SLEEP:
		return RTThreadSleep((uint32_t)vm);
	case YIELD:
		return RTThreadYield() ? 0 : __LINE__;
	default:
		return -37;
	}
}
