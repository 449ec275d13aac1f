// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Pages of clients, held in place. */
#include "supdrv_windows.h"
#include "guarded.h"
#include "supdrv_glue.h"

struct supdrv_pin {
	PMDL mdl;
};

static int32_t status_of_exception(NTSTATUS raised)
{
	switch (raised) {
	case STATUS_SUCCESS:
		return SUPDRV_OK;
	case STATUS_WORKING_SET_QUOTA:
	case STATUS_INSUFFICIENT_RESOURCES:
	case STATUS_NO_MEMORY:
		return SUPDRV_ERR_NO_MEMORY;
	default:
		return SUPDRV_ERR_LOCK_FAILED;
	}
}

int32_t supdrv_os_pin(uintptr_t address, uint32_t count, struct supdrv_pin **pin)
{
	struct supdrv_pin *made = supdrv_os_alloc(sizeof(*made));
	int32_t status = SUPDRV_ERR_NO_MEMORY;

	if (!made)
		return status;
	made->mdl = IoAllocateMdl((void *)address, count << PAGE_SHIFT, FALSE, FALSE, NULL);
	if (!made->mdl)
		goto free_pin;
	status = status_of_exception(supdrv_guarded_lock(made->mdl));
	if (status)
		goto free_mdl;
	*pin = made;
	return SUPDRV_OK;

free_mdl:
	IoFreeMdl(made->mdl);
free_pin:
	supdrv_os_free(made);
	return status;
}

uint64_t supdrv_os_pin_physical(const struct supdrv_pin *pin, uint32_t index)
{
	return (uint64_t)MmGetMdlPfnArray(pin->mdl)[index] << PAGE_SHIFT;
}

/* In whatever process: the list knows its pages. */
void supdrv_os_unpin(struct supdrv_pin *pin)
{
	MmUnlockPages(pin->mdl);
	IoFreeMdl(pin->mdl);
	supdrv_os_free(pin);
}
