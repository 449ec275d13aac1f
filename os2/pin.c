// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Pages of clients, held in place. */
#include "heap.h"
#include "supdrv_glue.h"
#include "pages.h"
#include "supdrv_status.h"

#define NOT_ENOUGH_MEMORY 8u /* ERROR_NOT_ENOUGH_MEMORY */

struct supdrv_pin {
	struct dh_lock lock;
	uint32_t physical[];
};

static int32_t pin_fill(struct supdrv_pin *pin, uintptr_t address, uint32_t count)
{
	struct dh_run *runs = heap_get(count * sizeof(*runs));
	uint32_t run_count = 0, error;

	if (!runs)
		return SUPDRV_ERR_NO_MEMORY;
	error =
	    dh_pages_hold(address, count << PAGE_SHIFT, true, true, &pin->lock, runs, &run_count);
	if (!error)
		supdrv_runs_spread(runs, run_count, pin->physical, count);
	heap_release(runs);
	if (error == NOT_ENOUGH_MEMORY)
		return SUPDRV_ERR_NO_MEMORY;
	return error ? SUPDRV_ERR_LOCK_FAILED : SUPDRV_OK;
}

int32_t supdrv_os_pin(uintptr_t address, uint32_t count, struct supdrv_pin **pin)
{
	struct supdrv_pin *made = heap_get(sizeof(*made) + count * sizeof(made->physical[0]));
	int32_t status;

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	status = pin_fill(made, address, count);
	if (status) {
		heap_release(made);
		return status;
	}
	*pin = made;
	return SUPDRV_OK;
}

uint64_t supdrv_os_pin_physical(const struct supdrv_pin *pin, uint32_t index)
{
	return pin->physical[index];
}

/* In whatever process: the handle knows its pages. */
void supdrv_os_unpin(struct supdrv_pin *pin)
{
	dh_pages_let_go(&pin->lock);
	heap_release(pin);
}
