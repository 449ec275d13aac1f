// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pages of the driver in a process. A process cannot free, move or change such a mapping itself,
 * and a mapping ends before its process does: see file.c.
 */
#include <ntifs.h>

#include "supdrv_windows.h"
#include "guarded.h"
#include "supdrv_glue.h"
#include "supdrv_pages.h"

struct supdrv_mapping {
	PEPROCESS process;
	PMDL mdl;
	void *address;
};

int32_t supdrv_os_map(struct supdrv_pages *pages, bool writable, struct supdrv_mapping **mapping)
{
	const uint32_t access = writable ? 0 : SUPDRV_MAP_NO_WRITE;
	struct supdrv_mapping *made = supdrv_os_alloc(sizeof(*made));
	int32_t raised;

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->mdl = pages->mdl;
	raised = supdrv_guarded_map(pages->mdl, NormalPagePriority | SUPDRV_MAP_NO_EXECUTE | access,
				    &made->address);
	if (raised || !made->address) {
		supdrv_os_free(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	made->process = PsGetCurrentProcess();
	ObReferenceObject(made->process);
	*mapping = made;
	return SUPDRV_OK;
}

uintptr_t supdrv_os_mapping_address(const struct supdrv_mapping *mapping)
{
	return (uintptr_t)mapping->address;
}

void supdrv_os_unmap(struct supdrv_mapping *mapping)
{
	const bool elsewhere = mapping->process != PsGetCurrentProcess();
	KAPC_STATE state;

	if (elsewhere)
		KeStackAttachProcess((PKPROCESS)mapping->process, &state);
	MmUnmapLockedPages(mapping->address, mapping->mdl);
	if (elsewhere)
		KeUnstackDetachProcess(&state);
	ObDereferenceObject(mapping->process);
	supdrv_os_free(mapping);
}
