// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The kernel's memory used wrongly. Driver Verifier's special pool notices all of it. */
#include "supdrv_windows.h"
#include "supdrv_faults.h"
#include "supdrv_pages.h"

#define LOST_BYTES 1000

static void *memory_get(void)
{
	return ExAllocatePoolWithTag(NonPagedPoolNx, LOST_BYTES, SUPDRV_POOL_TAG);
}

static void byte_spoil(volatile char *where)
{
	if (where)
		*where = 1;
}

void supdrv_fault_use_after_free(struct supdrv_session *session)
{
	volatile char *gone = memory_get();

	(void)session;
	if (!gone)
		return;
	ExFreePoolWithTag((void *)gone, SUPDRV_POOL_TAG);
	(void)*gone;
}

void supdrv_fault_leak(struct supdrv_session *session)
{
	(void)session;
	byte_spoil(memory_get());
}

void supdrv_fault_overrun(struct supdrv_session *session)
{
	char *memory = memory_get();

	(void)session;
	if (!memory)
		return;
	byte_spoil(memory + LOST_BYTES);
	ExFreePoolWithTag(memory, SUPDRV_POOL_TAG);
}

static void page_overrun(PMDL mdl)
{
	char *page = MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE,
						  NormalPagePriority | SUPDRV_MAP_NO_EXECUTE);

	if (!page)
		return;
	byte_spoil(page + PAGE_SIZE);
	MmUnmapLockedPages(page, mdl);
}

/* Behind a page that is mapped alone. */
void supdrv_fault_page_overrun(struct supdrv_session *session)
{
	const PHYSICAL_ADDRESS none = {.QuadPart = 0}, highest = {.QuadPart = -1};
	PMDL mdl = MmAllocatePagesForMdlEx(none, highest, none, PAGE_SIZE, MmCached,
					   MM_ALLOCATE_FULLY_REQUIRED);

	(void)session;
	if (!mdl)
		return;
	page_overrun(mdl);
	MmFreePagesFromMdl(mdl);
	ExFreePool(mdl);
}

void supdrv_fault_double_free(struct supdrv_session *session)
{
	void *memory = memory_get();

	(void)session;
	if (!memory)
		return;
	ExFreePoolWithTag(memory, SUPDRV_POOL_TAG);
	ExFreePoolWithTag(memory, SUPDRV_POOL_TAG);
}
