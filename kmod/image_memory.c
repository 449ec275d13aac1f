// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Memory that ring-0 images run in. It is mapped once, so that an image is linked for the address
 * it was told; what may be done there changes in the page table entries. Pages keep their alias in
 * the kernel's linear mapping, as all kernel memory does: data there, never executable.
 */
#include <linux/mm.h>
#include <linux/smp.h>
#include <linux/vmalloc.h>
#include <asm/pgtable.h>
#include <asm/tlbflush.h>

#include "supdrv_glue.h"
#include "supdrv_status.h"

void *supdrv_os_image_alloc(uint32_t size)
{
	return __vmalloc(size,
			 GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
}

static pte_t *entry_find(unsigned long address)
{
	unsigned int level;
	pte_t *entry = lookup_address(address, &level);

	return entry && level == PG_LEVEL_4K ? entry : NULL;
}

static pte_t entry_seal(pte_t entry)
{
	return pte_mkexec(pte_wrprotect(entry));
}

static pte_t entry_unseal(pte_t entry)
{
	return pfn_pte(pte_pfn(entry), PAGE_KERNEL);
}

static void flush_this_cpu(void *unused)
{
	__flush_tlb_all();
}

/* Whole entries are exchanged, so that no CPU ever sees a page both writable and executable. */
static void entries_change(unsigned long start, uint32_t size, pte_t (*change)(pte_t))
{
	unsigned long address;

	for (address = start; address < start + size; address += PAGE_SIZE) {
		pte_t *entry = entry_find(address);

		if (entry)
			set_pte_atomic(entry, change(*entry));
	}
	on_each_cpu(flush_this_cpu, NULL, 1);
}

int32_t supdrv_os_image_seal(void *memory, uint32_t size)
{
	unsigned long start = (unsigned long)memory, address;

	for (address = start; address < start + size; address += PAGE_SIZE)
		if (!entry_find(address))
			return SUPDRV_ERR_NO_MEMORY;
	entries_change(start, size, entry_seal);
	return SUPDRV_OK;
}

void supdrv_os_image_unseal(void *memory, uint32_t size)
{
	pte_t *first = entry_find((unsigned long)memory);

	if (first && !pte_write(*first))
		entries_change((unsigned long)memory, size, entry_unseal);
}

/* vfree() leaves translations in the CPUs for a while; those must not be executable ones. */
void supdrv_os_image_free(void *memory, uint32_t size)
{
	supdrv_os_image_unseal(memory, size);
	vfree(memory);
}
