// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The core's glue for user space. It stops the program when the core breaks the glue's rules. */
#include "host.h"

#define LOCK_FREE 0x4C4F434Bu
#define LOCK_HELD 0x48454C44u

long host_alloc_budget = -1;
long host_alloc_live;
long host_lock_live;
uint32_t host_locks_held;
struct supdrv_paging host_paging;

static uint64_t random_state = 0x9E3779B97F4A7C15u;
static bool random_fixed;
static uint8_t random_byte;

void *supdrv_os_alloc(size_t size)
{
	if (host_alloc_budget == 0)
		return NULL;
	if (host_alloc_budget > 0)
		host_alloc_budget--;
	host_alloc_live++;
	return calloc(1, size);
}

void supdrv_os_free(void *memory)
{
	if (memory)
		host_alloc_live--;
	free(memory);
}

void host_random_fix(uint8_t byte)
{
	random_fixed = true;
	random_byte = byte;
}

void host_random_free(void)
{
	random_fixed = false;
}

void supdrv_os_random(void *memory, size_t size)
{
	uint8_t *bytes = memory;
	size_t i;

	for (i = 0; i < size; i++) {
		random_state ^= random_state << 13;
		random_state ^= random_state >> 7;
		random_state ^= random_state << 17;
		bytes[i] = random_fixed ? random_byte : (uint8_t)(random_state >> 32);
	}
}

void supdrv_os_lock_init(struct supdrv_lock *lock)
{
	lock->state = LOCK_FREE;
	host_lock_live++;
}

void supdrv_os_lock_destroy(struct supdrv_lock *lock)
{
	CHECK_EQUAL(lock->state, LOCK_FREE);
	lock->state = 0;
	host_lock_live--;
}

void supdrv_os_lock_acquire(struct supdrv_lock *lock)
{
	CHECK_EQUAL(lock->state, LOCK_FREE);
	CHECK_EQUAL(host_locks_held, 0);
	lock->state = LOCK_HELD;
	host_locks_held++;
}

void supdrv_os_lock_release(struct supdrv_lock *lock)
{
	CHECK_EQUAL(lock->state, LOCK_HELD);
	lock->state = LOCK_FREE;
	host_locks_held--;
}

void supdrv_os_paging_read(struct supdrv_paging *paging)
{
	*paging = host_paging;
}
