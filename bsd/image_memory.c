// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Memory that ring-0 images run in. What may be done there changes by entering each page anew with
 * another protection; an entry is exchanged whole.
 */
#include "supdrv_compat.h"
#include "supdrv_freebsd.h"
#include "supdrv_glue.h"

void *supdrv_os_image_alloc(uint32_t size)
{
	return (void *)compat_kmem_alloc(round_page((vm_size_t)size));
}

static int page_protect(vm_offset_t address, vm_prot_t protection)
{
	vm_page_t page = PHYS_TO_VM_PAGE(pmap_kextract(address));

	return pmap_enter(kernel_pmap, address, page, protection,
			  (protection & VM_PROT_WRITE) | PMAP_ENTER_WIRED, 0);
}

static int pages_protect(void *memory, uint32_t size, vm_prot_t protection)
{
	const vm_offset_t start = (vm_offset_t)memory, end = start + round_page((vm_size_t)size);
	vm_offset_t address;
	int error = KERN_SUCCESS;

	for (address = start; address < end && error == KERN_SUCCESS; address += PAGE_SIZE)
		error = page_protect(address, protection);
	return error;
}

int32_t supdrv_os_image_seal(void *memory, uint32_t size)
{
	return pages_protect(memory, size, VM_PROT_READ | VM_PROT_EXECUTE) == KERN_SUCCESS
		   ? SUPDRV_OK
		   : SUPDRV_ERR_NO_MEMORY;
}

/* Entries that are there can always be exchanged. */
void supdrv_os_image_unseal(void *memory, uint32_t size)
{
	(void)pages_protect(memory, size, VM_PROT_RW);
}

void supdrv_os_image_free(void *memory, uint32_t size)
{
	supdrv_os_image_unseal(memory, size);
	compat_kmem_free((vm_offset_t)memory, round_page((vm_size_t)size));
}
