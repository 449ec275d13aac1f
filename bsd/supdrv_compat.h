/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What FreeBSD 12, 13, 14 and 15 call differently. Nothing else in this directory looks at the
 * version.
 */
#ifndef SUPDRV_COMPAT_H
#define SUPDRV_COMPAT_H

#include "supdrv_os.h"

#include <sys/malloc.h>
#include <sys/proc.h>
#include <sys/rwlock.h>

#include <vm/vm.h>
#include <vm/vm_param.h>
#include <vm/pmap.h>
#include <vm/vm_extern.h>
#include <vm/vm_kern.h>
#include <vm/vm_map.h>
#include <vm/vm_object.h>
#include <vm/vm_page.h>

/* From 13 on pages have atomic reference counts and no lock; vm_page_valid() sets what was a field.
 */
#define COMPAT_PAGE_REFERENCES (__FreeBSD_version >= 1300000)
/* From 14 on kernel memory is a pointer, and shadow objects may be charged to somebody. */
#define COMPAT_KMEM_POINTER  (__FreeBSD_version >= 1400000)
#define COMPAT_SHADOW_CREDIT (__FreeBSD_version >= 1300051)

/* The object must be locked, and the page busy. */
static inline void compat_page_validate(vm_page_t page)
{
#if COMPAT_PAGE_REFERENCES
	vm_page_valid(page);
#else
	page->valid = VM_PAGE_BITS_ALL;
#endif
}

/* The page's object must be locked; it stays there, wired or not, and is put into no queue. */
static inline void compat_page_unwire(vm_page_t page)
{
#if COMPAT_PAGE_REFERENCES
	(void)vm_page_unwire_noq(page);
#else
	vm_page_lock(page);
	(void)vm_page_unwire_noq(page);
	vm_page_unlock(page);
#endif
}

/* Until 12 memory that no file is behind is moved to another object when a part of a mapping is
 * copied. */
static inline void compat_object_keep_pages(vm_object_t object)
{
	VM_OBJECT_WLOCK(object);
	vm_object_clear_flag(object, OBJ_ONEMAPPING);
#if !COMPAT_PAGE_REFERENCES
	vm_object_set_flag(object, OBJ_NOSPLIT);
#endif
	VM_OBJECT_WUNLOCK(object);
}

/* Another object over *object, whose reference it takes over. */
static inline void compat_object_shadow(vm_object_t *object, vm_size_t size)
{
	vm_ooffset_t offset = 0;

#if COMPAT_SHADOW_CREDIT
	vm_object_shadow(object, &offset, size, NULL, false);
#else
	vm_object_shadow(object, &offset, size);
#endif
}

static inline vm_map_entry_t compat_entry_next(vm_map_entry_t entry)
{
#if COMPAT_PAGE_REFERENCES
	return vm_map_entry_succ(entry);
#else
	return entry->next;
#endif
}

/* Kernel memory in whole pages of its own, readable and writable; 0 if there is none. */
static inline vm_offset_t compat_kmem_alloc(vm_size_t size)
{
	return (vm_offset_t)kmem_malloc(size, M_NOWAIT | M_ZERO);
}

static inline void compat_kmem_free(vm_offset_t memory, vm_size_t size)
{
#if COMPAT_KMEM_POINTER
	kmem_free((void *)memory, size);
#else
	kmem_free(memory, size);
#endif
}

#endif
