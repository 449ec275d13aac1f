// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Memory that ring-0 images run in: pages of their own, mapped once, so that an image is linked for
 * the address it was told. What may be done there changes with the mapping's protection. Where the
 * hypervisor guards the kernel's code, Windows refuses to seal.
 */
#include "supdrv_windows.h"
#include "supdrv_glue.h"
#include "supdrv_pages.h"

struct image_memory {
	struct image_memory *next;
	PMDL mdl;
	void *address;
	bool sealed;
};

static struct image_memory *memories;
static struct supdrv_lock memories_lock;

void supdrv_image_memory_init(void)
{
	supdrv_os_lock_init(&memories_lock);
}

static void *pages_map(PMDL mdl)
{
	return MmMapLockedPagesSpecifyCache(mdl, KernelMode, MmCached, NULL, FALSE,
					    NormalPagePriority | SUPDRV_MAP_NO_EXECUTE);
}

static bool memory_fill(struct image_memory *memory, SIZE_T size)
{
	const PHYSICAL_ADDRESS none = {.QuadPart = 0}, highest = {.QuadPart = -1};

	memory->mdl = MmAllocatePagesForMdlEx(none, highest, none, size, MmCached,
					      MM_ALLOCATE_FULLY_REQUIRED);
	if (!memory->mdl)
		return false;
	memory->address = pages_map(memory->mdl);
	return memory->address;
}

static void memory_destroy(struct image_memory *memory)
{
	if (memory->address)
		MmUnmapLockedPages(memory->address, memory->mdl);
	if (memory->mdl) {
		MmFreePagesFromMdl(memory->mdl);
		ExFreePool(memory->mdl);
	}
	supdrv_os_free(memory);
}

void *supdrv_os_image_alloc(uint32_t size)
{
	struct image_memory *made = supdrv_os_alloc(sizeof(*made));

	if (!made)
		return NULL;
	if (!memory_fill(made, ROUND_TO_PAGES((SIZE_T)size))) {
		memory_destroy(made);
		return NULL;
	}
	supdrv_os_lock_acquire(&memories_lock);
	made->next = memories;
	memories = made;
	supdrv_os_lock_release(&memories_lock);
	return made->address;
}

/* With remove, nobody finds it any more. Whoever asks owns the image, so it stays. */
static struct image_memory *memory_find(const void *address, bool remove)
{
	struct image_memory **link = &memories, *memory;

	supdrv_os_lock_acquire(&memories_lock);
	while (*link && (*link)->address != address)
		link = &(*link)->next;
	memory = *link;
	if (memory && remove)
		*link = memory->next;
	supdrv_os_lock_release(&memories_lock);
	return memory;
}

int32_t supdrv_os_image_seal(void *address, uint32_t size)
{
	struct image_memory *memory = memory_find(address, false);

	(void)size;
	if (!NT_SUCCESS(MmProtectMdlSystemAddress(memory->mdl, PAGE_EXECUTE_READ)))
		return SUPDRV_ERR_PERMISSION_DENIED;
	memory->sealed = true;
	return SUPDRV_OK;
}

void supdrv_os_image_unseal(void *address, uint32_t size)
{
	struct image_memory *memory = memory_find(address, false);

	(void)size;
	if (memory->sealed && NT_SUCCESS(MmProtectMdlSystemAddress(memory->mdl, PAGE_READWRITE)))
		memory->sealed = false;
}

void supdrv_os_image_free(void *address, uint32_t size)
{
	(void)size;
	memory_destroy(memory_find(address, true));
}
