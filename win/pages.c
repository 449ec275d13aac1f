// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Physical pages for clients. */
#include "supdrv_windows.h"
#include "supdrv_glue.h"
#include "supdrv_pages.h"

#define BELOW_4_GIB 0xFFFFFFFFu
#define ANY_NODE    0x80000000u

/* The only one for contiguous memory that is not executable; from Windows 8 on, and not in every
 * header. */
__declspec(dllimport) void *NTAPI
    MmAllocateContiguousNodeMemory(SIZE_T size, PHYSICAL_ADDRESS lowest, PHYSICAL_ADDRESS highest,
				   PHYSICAL_ADDRESS boundary, ULONG protection, ULONG node);

static bool pages_alloc_contiguous(struct supdrv_pages *pages, SIZE_T size)
{
	const PHYSICAL_ADDRESS none = {.QuadPart = 0}, highest = {.QuadPart = BELOW_4_GIB};

	pages->kernel =
	    MmAllocateContiguousNodeMemory(size, none, highest, none, PAGE_READWRITE, ANY_NODE);
	if (!pages->kernel)
		return false;
	memset(pages->kernel, 0, size);
	pages->mdl = IoAllocateMdl(pages->kernel, (ULONG)size, FALSE, FALSE, NULL);
	if (!pages->mdl)
		return false;
	MmBuildMdlForNonPagedPool(pages->mdl);
	return true;
}

/* They come zeroed. */
static bool pages_alloc_single(struct supdrv_pages *pages, SIZE_T size)
{
	const PHYSICAL_ADDRESS none = {.QuadPart = 0}, highest = {.QuadPart = BELOW_4_GIB};

	pages->mdl = MmAllocatePagesForMdlEx(none, highest, none, size, MmCached,
					     MM_ALLOCATE_FULLY_REQUIRED);
	return pages->mdl && MmGetMdlByteCount(pages->mdl) == size;
}

int32_t supdrv_os_pages_alloc(uint32_t count, bool contiguous, struct supdrv_pages **pages)
{
	const SIZE_T size = (SIZE_T)count << PAGE_SHIFT;
	struct supdrv_pages *made = supdrv_os_alloc(sizeof(*made));
	bool filled;

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	filled = contiguous ? pages_alloc_contiguous(made, size) : pages_alloc_single(made, size);
	if (!filled) {
		supdrv_os_pages_free(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	*pages = made;
	return SUPDRV_OK;
}

uint64_t supdrv_os_pages_physical(const struct supdrv_pages *pages, uint32_t index)
{
	return (uint64_t)MmGetMdlPfnArray(pages->mdl)[index] << PAGE_SHIFT;
}

void *supdrv_os_pages_kernel(const struct supdrv_pages *pages)
{
	return pages->kernel;
}

static void pages_free_contiguous(struct supdrv_pages *pages)
{
	if (pages->mdl)
		IoFreeMdl(pages->mdl);
	MmFreeContiguousMemory(pages->kernel);
}

static void pages_free_single(struct supdrv_pages *pages)
{
	if (!pages->mdl)
		return;
	MmFreePagesFromMdl(pages->mdl);
	ExFreePool(pages->mdl);
}

void supdrv_os_pages_free(struct supdrv_pages *pages)
{
	if (pages->kernel)
		pages_free_contiguous(pages);
	else
		pages_free_single(pages);
	supdrv_os_free(pages);
}
