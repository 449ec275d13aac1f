// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Pages of clients, held in place. */
#include "supdrv_compat.h"
#include "supdrv_freebsd.h"
#include "supdrv_glue.h"

#include <sys/mutex.h>
#include <sys/priv.h>
#include <sys/queue.h>
#include <sys/resourcevar.h>

/* After so many the client may be killed. */
#define PIN_BATCH 512u

struct supdrv_pin {
	LIST_ENTRY(supdrv_pin) link;
	pid_t owner;	  /* whose locked memory this counts as */
	uint32_t charged; /* pages */
	uint32_t count;	  /* pages held */
	vm_page_t page[];
};

static LIST_HEAD(, supdrv_pin) pins = LIST_HEAD_INITIALIZER(pins);
static struct mtx pins_lock;

void supdrv_pins_init(void)
{
	mtx_init(&pins_lock, "supdrv pins", NULL, MTX_DEF);
}

void supdrv_pins_destroy(void)
{
	mtx_destroy(&pins_lock);
}

/* With the lock held. */
static uint64_t pins_of(pid_t owner)
{
	const struct supdrv_pin *pin;
	uint64_t pages = 0;

	LIST_FOREACH(pin, &pins, link)
	if (pin->owner == owner)
		pages += pin->charged;
	return pages;
}

/* Against the same limit as what the process has locked by itself; who may raise it has none. */
static int32_t pin_charge(struct supdrv_pin *pin, uint32_t count)
{
	struct proc *process = curproc;
	uint64_t limit = lim_cur(curthread, RLIMIT_MEMLOCK), locked;
	bool unlimited = priv_check(curthread, PRIV_PROC_SETRLIMIT) == 0;

	locked = pmap_wired_count(vmspace_pmap(process->p_vmspace));
	pin->owner = process->p_pid;
	pin->charged = count;
	mtx_lock(&pins_lock);
	if (!unlimited && ptoa(locked + pins_of(pin->owner) + count) > limit)
		pin->charged = 0;
	LIST_INSERT_HEAD(&pins, pin, link);
	mtx_unlock(&pins_lock);
	return pin->charged ? SUPDRV_OK : SUPDRV_ERR_NO_MEMORY;
}

uint64_t supdrv_pins_locked(pid_t owner)
{
	uint64_t pages;

	mtx_lock(&pins_lock);
	pages = pins_of(owner);
	mtx_unlock(&pins_lock);
	return ptoa(pages);
}

/* Device memory is not the client's to hold. */
static bool pages_may_stay(const vm_page_t *page, int count)
{
	while (count-- > 0)
		if (page[count]->flags & PG_FICTITIOUS)
			return false;
	return true;
}

static int32_t pin_batch(struct supdrv_pin *pin, vm_offset_t address, uint32_t count)
{
	vm_page_t *next = pin->page + pin->count;
	int held;

	count = MIN(count, PIN_BATCH);
	held = vm_fault_quick_hold_pages(&curproc->p_vmspace->vm_map, address, ptoa(count),
					 VM_PROT_RW, next, count);
	if (held <= 0)
		return SUPDRV_ERR_LOCK_FAILED;
	pin->count += held;
	return pages_may_stay(next, held) ? SUPDRV_OK : SUPDRV_ERR_LOCK_FAILED;
}

static int32_t pin_fill(struct supdrv_pin *pin, vm_offset_t address, uint32_t count)
{
	int32_t status = SUPDRV_OK;

	while (!status && pin->count < count) {
		if (supdrv_thread_is_killed())
			return SUPDRV_ERR_LOCK_FAILED;
		status =
		    pin_batch(pin, address + ptoa((vm_offset_t)pin->count), count - pin->count);
		maybe_yield();
	}
	return status;
}

int32_t supdrv_os_pin(uintptr_t address, uint32_t count, struct supdrv_pin **pin)
{
	struct supdrv_pin *made;
	int32_t status;

	made = supdrv_memory_alloc(sizeof(*made) + count * sizeof(made->page[0]));
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	status = pin_charge(made, count);
	if (!status)
		status = pin_fill(made, address, count);
	if (status) {
		supdrv_os_unpin(made);
		return status;
	}
	*pin = made;
	return SUPDRV_OK;
}

uint64_t supdrv_os_pin_physical(const struct supdrv_pin *pin, uint32_t index)
{
	return VM_PAGE_TO_PHYS(pin->page[index]);
}

/* They were marked dirty when they were held, and could not be cleaned since. */
void supdrv_os_unpin(struct supdrv_pin *pin)
{
	vm_page_unhold_pages(pin->page, pin->count);
	mtx_lock(&pins_lock);
	LIST_REMOVE(pin, link);
	mtx_unlock(&pins_lock);
	supdrv_os_free(pin);
}
