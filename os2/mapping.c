// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pages of the driver in a process. A process cannot free or change such a mapping itself. It is
 * undone in that process; where a close comes in another one, because a child has inherited the
 * handle, the mapping stays until its process ends, and the system keeps the pages as long.
 */
#include "heap.h"
#include "supdrv_glue.h"
#include "pages.h"
#include "supdrv_status.h"

struct supdrv_mapping {
	uint32_t process;
	uintptr_t address;
};

int32_t supdrv_os_map(struct supdrv_pages *pages, bool writable, struct supdrv_mapping **mapping)
{
	struct supdrv_mapping *made = heap_get(sizeof(*made));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->process = dh_process();
	if (dh_memory_share(pages->kernel, pages->count << PAGE_SHIFT, writable, &made->address)) {
		heap_release(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	*mapping = made;
	return SUPDRV_OK;
}

uintptr_t supdrv_os_mapping_address(const struct supdrv_mapping *mapping)
{
	return mapping->address;
}

void supdrv_os_unmap(struct supdrv_mapping *mapping)
{
	if (mapping->process == dh_process())
		dh_memory_release(mapping->address);
	heap_release(mapping);
}
