// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Pages of the driver in a process. Each mapping has a memory object that nothing else maps, so
 * that it can be told from everything else at its address and be taken away from every process at
 * once: that of the pages where they are writable, for those are mapped once; otherwise one that
 * shadows it, which is never written and so never has a page of its own.
 */
#include "supdrv_compat.h"
#include "supdrv_freebsd.h"
#include "supdrv_glue.h"
#include "supdrv_pages.h"

#include <sys/resourcevar.h>

struct supdrv_mapping {
	struct supdrv_pages *pages;
	vm_object_t object;
	vm_offset_t address;
	vm_size_t size;
};

static vm_object_t mapping_object(struct supdrv_pages *pages, bool writable)
{
	vm_object_t object = pages->object;

	vm_object_reference(object);
	if (!writable)
		compat_object_shadow(&object, ptoa(pages->count));
	return object;
}

/* Above what the process may still get by sbrk(). */
static vm_offset_t mapping_hint(const struct vmspace *space)
{
	return round_page((vm_offset_t)space->vm_daddr + lim_max(curthread, RLIMIT_DATA));
}

/* A fork in between shares the mapping; such a child loses it together with its owner. */
static int mapping_insert(struct supdrv_mapping *mapping, vm_prot_t protection)
{
	struct vmspace *space = curproc->p_vmspace;
	vm_map_t map = &space->vm_map;
	int error;

	mapping->address = mapping_hint(space);
	vm_object_reference(mapping->object); /* the map's own */
	error = vm_map_find(map, mapping->object, 0, &mapping->address, mapping->size, 0,
			    VMFS_ANY_SPACE, protection, protection,
			    MAP_INHERIT_SHARE | MAP_DISABLE_COREDUMP);
	if (error != KERN_SUCCESS) {
		vm_object_deallocate(mapping->object);
		return error;
	}
	return vm_map_inherit(map, mapping->address, mapping->address + mapping->size,
			      VM_INHERIT_NONE);
}

int32_t supdrv_os_map(struct supdrv_pages *pages, bool writable, struct supdrv_mapping **mapping)
{
	struct supdrv_mapping *made = supdrv_memory_alloc(sizeof(*made));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->pages = pages;
	made->size = ptoa(pages->count);
	made->object = mapping_object(pages, writable);
	if (mapping_insert(made, writable ? VM_PROT_RW : VM_PROT_READ) != KERN_SUCCESS) {
		vm_object_deallocate(made->object);
		supdrv_os_free(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	*mapping = made;
	return SUPDRV_OK;
}

uintptr_t supdrv_os_mapping_address(const struct supdrv_mapping *mapping)
{
	return mapping->address;
}

/* The first stretch at or behind address where the map still has this mapping. */
static vm_map_entry_t mapping_find(const struct supdrv_mapping *mapping, vm_map_t map,
				   vm_offset_t address)
{
	vm_map_entry_t entry;

	if (!vm_map_lookup_entry(map, address, &entry))
		entry = compat_entry_next(entry);
	while (entry->start < mapping->address + mapping->size &&
	       !(entry->eflags & MAP_ENTRY_IS_SUB_MAP)) {
		if (entry->object.vm_object == mapping->object)
			return entry;
		entry = compat_entry_next(entry);
	}
	return NULL;
}

/* From the calling process, but not what it has put there since. */
static void mapping_remove(const struct supdrv_mapping *mapping)
{
	vm_map_t map = &curproc->p_vmspace->vm_map;
	vm_offset_t address = mapping->address;
	vm_map_entry_t entry;

	vm_map_lock(map);
	while ((entry = mapping_find(mapping, map, address))) {
		address = entry->end;
		vm_map_delete(map, entry->start, entry->end);
	}
	vm_map_unlock(map);
}

/*
 * From everybody else. Who reads the pages through another mapping finds them again at the next
 * touch; a fault that is under way through this one has ended before they are taken away.
 */
static void mapping_revoke(const struct supdrv_mapping *mapping)
{
	const struct supdrv_pages *pages = mapping->pages;
	uint32_t i;

	VM_OBJECT_WLOCK(mapping->object);
	mapping->object->size = 0;
	vm_object_pip_wait(mapping->object, __DECONST(char *, "supdrv"));
	VM_OBJECT_WUNLOCK(mapping->object);

	VM_OBJECT_WLOCK(pages->object);
	for (i = 0; i < pages->count; i++)
		pmap_remove_all(pages->page[i]);
	VM_OBJECT_WUNLOCK(pages->object);
}

void supdrv_os_unmap(struct supdrv_mapping *mapping)
{
	mapping_remove(mapping);
	if (mapping->object == mapping->pages->object)
		supdrv_pages_revoke(mapping->pages);
	else
		mapping_revoke(mapping);
	vm_object_deallocate(mapping->object);
	supdrv_os_free(mapping);
}
