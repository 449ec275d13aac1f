// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Physical pages for clients. They are all below 4 GiB: the system does not use others. */
#include "heap.h"
#include "supdrv_glue.h"
#include "pages.h"
#include "supdrv_status.h"

static bool pages_fill(struct supdrv_pages *pages, bool contiguous)
{
	const uint32_t size = pages->count << PAGE_SHIFT;
	struct dh_run *runs;
	uint32_t count = 0;
	bool found;

	if (dh_memory_get(size, contiguous, &pages->kernel))
		return false;
	memset(pages->kernel, 0, size);
	runs = heap_get(pages->count * sizeof(*runs));
	if (!runs)
		return false;
	found = !dh_pages_find(pages->kernel, size, runs, &count);
	if (found)
		supdrv_runs_spread(runs, count, pages->physical, pages->count);
	heap_release(runs);
	return found;
}

int32_t supdrv_os_pages_alloc(uint32_t count, bool contiguous, struct supdrv_pages **pages)
{
	struct supdrv_pages *made = heap_get(sizeof(*made) + count * sizeof(made->physical[0]));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->count = count;
	if (!pages_fill(made, contiguous)) {
		supdrv_os_pages_free(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	*pages = made;
	return SUPDRV_OK;
}

uint64_t supdrv_os_pages_physical(const struct supdrv_pages *pages, uint32_t index)
{
	return pages->physical[index];
}

void *supdrv_os_pages_kernel(const struct supdrv_pages *pages)
{
	return pages->kernel;
}

void supdrv_os_pages_free(struct supdrv_pages *pages)
{
	if (pages->kernel)
		heap_pages_release(pages->kernel);
	heap_release(pages);
}
