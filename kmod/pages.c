// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Physical pages for clients. */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "supdrv_glue.h"
#include "supdrv_pages.h"
#include "supdrv_status.h"

/* The zone of 32-bit addresses is the kernel's own on x86. The OOM killer is not for requests. */
#define PAGES_GFP                                                                                  \
	(GFP_KERNEL_ACCOUNT | __GFP_DMA32 | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL)

/* One reference for each page, so that a mapping can keep a page that was freed. */
static bool pages_alloc_contiguous(struct supdrv_pages *pages, u32 count)
{
	unsigned int order = get_order((size_t)count << PAGE_SHIFT);
	struct page *first = alloc_pages(PAGES_GFP, order);
	u32 i;

	if (!first)
		return false;
	split_page(first, order);
	for (i = count; i < 1u << order; i++)
		__free_page(nth_page(first, i));
	for (i = 0; i < count; i++)
		pages->page[i] = nth_page(first, i);
	pages->count = count;
	return true;
}

static bool pages_alloc_single(struct supdrv_pages *pages, u32 count)
{
	for (; pages->count < count; pages->count++) {
		pages->page[pages->count] = alloc_page(PAGES_GFP);
		if (!pages->page[pages->count])
			return false;
	}
	return true;
}

int32_t supdrv_os_pages_alloc(uint32_t count, bool contiguous, struct supdrv_pages **pages)
{
	struct supdrv_pages *made;
	bool filled;

	made = kvzalloc(struct_size(made, page, count), GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	filled = contiguous ? pages_alloc_contiguous(made, count) : pages_alloc_single(made, count);
	if (!filled) {
		supdrv_os_pages_free(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	*pages = made;
	return SUPDRV_OK;
}

uint64_t supdrv_os_pages_physical(const struct supdrv_pages *pages, uint32_t index)
{
	return page_to_phys(pages->page[index]);
}

void *supdrv_os_pages_kernel(const struct supdrv_pages *pages)
{
	return page_address(pages->page[0]);
}

void supdrv_os_pages_free(struct supdrv_pages *pages)
{
	while (pages->count)
		__free_page(pages->page[--pages->count]);
	kvfree(pages);
}
