// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Pages of clients, held in place. */
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "supdrv_glue.h"
#include "supdrv_status.h"

/* Interrupts are off while the kernel looks for pages that are there already. */
#define PIN_BATCH 512u

struct supdrv_pin {
	struct mm_struct *mm; /* whose locked memory this counts as */
	u32 count;	      /* pages held */
	u32 charged;
	struct page *page[];
};

static int32_t pin_batch(struct supdrv_pin *pin, unsigned long address, u32 count)
{
	int pinned = pin_user_pages_fast(address, min(count, PIN_BATCH), FOLL_WRITE | FOLL_LONGTERM,
					 pin->page + pin->count);

	if (pinned == -ENOMEM)
		return SUPDRV_ERR_NO_MEMORY;
	if (pinned <= 0)
		return SUPDRV_ERR_LOCK_FAILED;
	pin->count += pinned;
	return SUPDRV_OK;
}

static int32_t pin_fill(struct supdrv_pin *pin, unsigned long address, u32 count)
{
	int32_t status = SUPDRV_OK;

	while (!status && pin->count < count) {
		if (fatal_signal_pending(current))
			return SUPDRV_ERR_LOCK_FAILED;
		status = pin_batch(pin, address + ((unsigned long)pin->count << PAGE_SHIFT),
				   count - pin->count);
		cond_resched();
	}
	return status;
}

int32_t supdrv_os_pin(uintptr_t address, uint32_t count, struct supdrv_pin **pin)
{
	struct supdrv_pin *made;
	int32_t status;

	made = kvzalloc(struct_size(made, page, count), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->mm = current->mm;
	mmgrab(made->mm);
	if (account_locked_vm(made->mm, count, true)) {
		status = SUPDRV_ERR_NO_MEMORY;
		goto release;
	}
	made->charged = count;
	status = pin_fill(made, address, count);
	if (status)
		goto release;
	*pin = made;
	return SUPDRV_OK;

release:
	supdrv_os_unpin(made);
	return status;
}

uint64_t supdrv_os_pin_physical(const struct supdrv_pin *pin, uint32_t index)
{
	return page_to_phys(pin->page[index]);
}

/* The process may be gone or another one: what it was charged with is still its own. */
void supdrv_os_unpin(struct supdrv_pin *pin)
{
	unpin_user_pages_dirty_lock(pin->page, pin->count, true);
	account_locked_vm(pin->mm, pin->charged, false);
	mmdrop(pin->mm);
	kvfree(pin);
}
