// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the core needs from OS/2. */
#include "devhelp.h"
#include "heap.h"
#include "supdrv_glue.h"

void *heap_pages_get(size_t size)
{
	void *memory;

	return dh_memory_get((uint32_t)size, false, &memory) ? NULL : memory;
}

void heap_pages_release(void *memory)
{
	if (dh_memory_release((uintptr_t)memory))
		heap_broken("pages that are released are not the driver's");
}

_Noreturn void heap_broken(const char *what)
{
	dh_stop(what);
}

void *supdrv_os_alloc(size_t size)
{
	return heap_get(size);
}

void supdrv_os_free(void *memory)
{
	heap_release(memory);
}

void supdrv_os_lock_init(struct supdrv_lock *lock)
{
	lock->held = false;
}

void supdrv_os_lock_destroy(struct supdrv_lock *lock)
{
	(void)lock;
}

/* Nobody else runs between a look at the word and what follows. */
void supdrv_os_lock_acquire(struct supdrv_lock *lock)
{
	while (lock->held)
		dh_block(lock, DH_FOREVER, false);
	lock->held = true;
}

void supdrv_os_lock_release(struct supdrv_lock *lock)
{
	lock->held = false;
	dh_wake(lock);
}
