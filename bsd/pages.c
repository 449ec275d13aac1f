// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Physical pages for clients. They are the pages of a memory object, as those of shared memory are,
 * but wired. Like shared memory that was cut to nothing, what still maps the object after they were
 * taken out of it faults; and it needs nothing of the driver, which may be unloaded by then.
 */
#include "supdrv_compat.h"
#include "supdrv_freebsd.h"
#include "supdrv_glue.h"
#include "supdrv_pages.h"

#include <vm/vm_pager.h>
#include <vm/vm_phys.h>

#define BELOW_4_GIB ((vm_paddr_t)0xFFFFFFFFu)
#define PAGES_FLAGS (VM_ALLOC_NORMAL | VM_ALLOC_WIRED)

static vm_page_t run_try(struct supdrv_pages *pages, uint32_t count)
{
	vm_page_t first;

	VM_OBJECT_WLOCK(pages->object);
	first = vm_page_alloc_contig(pages->object, pages->count, PAGES_FLAGS, count, 0,
				     BELOW_4_GIB, PAGE_SIZE, 0, VM_MEMATTR_DEFAULT);
	VM_OBJECT_WUNLOCK(pages->object);
	return first;
}

/* What lies between free pages can often be moved away; then it is worth a second look. */
static vm_page_t run_alloc(struct supdrv_pages *pages, uint32_t count)
{
	vm_page_t first = run_try(pages, count);

	if (first)
		return first;
	(void)vm_page_reclaim_contig(PAGES_FLAGS, count, 0, BELOW_4_GIB, PAGE_SIZE, 0);
	return run_try(pages, count);
}

/* Adds count pages that follow each other; they are busy until they are zero. */
static bool run_add(struct supdrv_pages *pages, uint32_t count)
{
	vm_page_t first = run_alloc(pages, count);
	uint32_t i;

	if (!first)
		return false;
	for (i = 0; i < count; i++) {
		pmap_zero_page(&first[i]);
		pages->page[pages->count + i] = &first[i];
	}
	VM_OBJECT_WLOCK(pages->object);
	for (i = 0; i < count; i++) {
		compat_page_validate(&first[i]);
		vm_page_xunbusy(&first[i]);
	}
	VM_OBJECT_WUNLOCK(pages->object);
	pages->count += count;
	return true;
}

static bool pages_see(struct supdrv_pages *pages)
{
	pages->kernel = kva_alloc(ptoa(pages->count));
	if (!pages->kernel)
		return false;
	pmap_qenter(pages->kernel, pages->page, pages->count);
	pmap_protect(kernel_pmap, pages->kernel, pages->kernel + ptoa(pages->count),
		     VM_PROT_READ | VM_PROT_WRITE);
	return true;
}

static bool pages_fill(struct supdrv_pages *pages, uint32_t count, bool contiguous)
{
	if (contiguous)
		return run_add(pages, count) && pages_see(pages);
	while (pages->count < count)
		if (!run_add(pages, 1))
			return false;
	return true;
}

int32_t supdrv_os_pages_alloc(uint32_t count, bool contiguous, struct supdrv_pages **pages)
{
	struct supdrv_pages *made;

	made = supdrv_memory_alloc(sizeof(*made) + count * sizeof(made->page[0]));
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->object =
	    vm_pager_allocate(OBJT_SWAP, NULL, ptoa((vm_ooffset_t)count), VM_PROT_RW, 0, NULL);
	if (!made->object)
		goto free_pages;
	compat_object_keep_pages(made->object);
	if (!pages_fill(made, count, contiguous))
		goto free_object;
	*pages = made;
	return SUPDRV_OK;

free_object:
	supdrv_os_pages_free(made);
	return SUPDRV_ERR_NO_MEMORY;
free_pages:
	supdrv_os_free(made);
	return SUPDRV_ERR_NO_MEMORY;
}

uint64_t supdrv_os_pages_physical(const struct supdrv_pages *pages, uint32_t index)
{
	return VM_PAGE_TO_PHYS(pages->page[index]);
}

void *supdrv_os_pages_kernel(const struct supdrv_pages *pages)
{
	return (void *)pages->kernel;
}

static void pages_unsee(struct supdrv_pages *pages)
{
	if (!pages->kernel)
		return;
	pmap_qremove(pages->kernel, pages->count);
	kva_free(pages->kernel, ptoa(pages->count));
	pages->kernel = 0;
}

/*
 * A page that somebody else has wired, as mlock() does, stays in the object, where it is looked for
 * when it is unwired. It is not valid any more: a fault would find zeroes in it.
 */
void supdrv_pages_revoke(struct supdrv_pages *pages)
{
	uint32_t i;

	pages_unsee(pages);
	VM_OBJECT_WLOCK(pages->object);
	pages->object->size = 0;
	for (i = 0; i < pages->count; i++)
		compat_page_unwire(pages->page[i]);
	vm_object_page_remove(pages->object, 0, 0, 0);
	VM_OBJECT_WUNLOCK(pages->object);
	pages->count = 0;
}

void supdrv_os_pages_free(struct supdrv_pages *pages)
{
	supdrv_pages_revoke(pages);
	vm_object_deallocate(pages->object);
	supdrv_os_free(pages);
}
