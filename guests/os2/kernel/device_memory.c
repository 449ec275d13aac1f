/* SPDX-License-Identifier: MIT */
/* The helpers of drivers that are about memory. */
#include "device.h"
#include "process.h"
#include "os2_devhelp.h"

#define NOT_CLEARED 0xA5 /* nobody can take new memory for cleared */
#define NO_LIST	    UINT32_MAX

uint32_t pages_locked;

static uint32_t pages_of(uint32_t start, uint32_t length)
{
	return (page_up((start & PAGE_MASK) + length)) >> PAGE_SHIFT;
}

static struct space *own_space(void)
{
	return current->process ? &current->process->space : NULL;
}

static uint32_t frame_behind(uint32_t address)
{
	struct space *s = own_space();

	if (address >= KERNEL_BASE)
		return kernel_physical(address) == NO_FRAME ? NO_FRAME
							    : kernel_physical(address) & ~PAGE_MASK;
	return s ? page_in(s, address & ~PAGE_MASK, false) : NO_FRAME;
}

/* What is there, or a contiguous block of frames: a user of each. */
static bool map_run(uint32_t linear, uint32_t physical, uint32_t pages, bool there)
{
	for (uint32_t i = 0; i < pages; i++) {
		uint32_t at = physical + (i << PAGE_SHIFT);

		if (there)
			frame_keep(at);
		*map_entry(linear + (i << PAGE_SHIFT)) = at | PTE_PRESENT | PTE_WRITE | PTE_NX;
	}
	return true;
}

static uint32_t alloc_contiguous(uint32_t pages, uint32_t *physical)
{
	uint32_t linear = map_reserve(pages), run = linear ? frames_take(pages) : NO_FRAME;

	if (run == NO_FRAME) {
		if (linear)
			map_release(linear);
		return 0;
	}
	map_run(linear, run, pages, false);
	*physical = run;
	return linear;
}

uint32_t help_vm_alloc(struct help_registers *r)
{
	uint32_t flags = r->eax, pages = page_up(r->ecx) >> PAGE_SHIFT, physical = VMDHA_NOPHYSADDR,
		 linear;
	uint32_t *place = r->edi == VMDHA_NOPHYSADDR ? NULL : (uint32_t *)r->edi;

	if (!pages || r->ecx > MEMORY_MAX || flags & (VMDHA_PROCESS | VMDHA_RESERVE) ||
	    (flags & VMDHA_CONTIG && !(flags & VMDHA_FIXED)) || (flags & VMDHA_PHYS && !place))
		return ERROR_INVALID_PARAMETER;
	if (flags & VMDHA_PHYS) {
		linear = map_reserve(pages);
		if (linear)
			map_run(linear, *place & ~PAGE_MASK, pages, true);
		linear |= linear ? *place & PAGE_MASK : 0;
	} else {
		linear =
		    flags & VMDHA_CONTIG ? alloc_contiguous(pages, &physical) : map_memory(pages);
		if (linear)
			memset((void *)linear, NOT_CLEARED, pages << PAGE_SHIFT);
		if (place)
			*place = physical;
	}
	r->eax = linear;
	return linear ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

uint32_t help_vm_free(struct help_registers *r)
{
	uint32_t start = r->eax & ~PAGE_MASK;

	if (start >= KERNEL_BASE) {
		if (!map_pages(start) || driver_at(start))
			return ERROR_INVALID_ADDRESS;
		map_memory_drop(start);
		return NO_ERROR;
	}
	return own_space() && mapping_end(own_space(), start) ? NO_ERROR : ERROR_INVALID_ADDRESS;
}

struct lock {
	uint32_t magic;
	uint32_t pages;
	uint32_t *frames;
};
_Static_assert(sizeof(struct lock) == sizeof(struct os2_lock_handle), "published size");
#define LOCK_MAGIC 0x6B636F4C

static uint32_t lock_frames(struct space *s, uint32_t start, uint32_t pages, bool write,
			    uint32_t *frames)
{
	uint32_t got = 0;

	for (; got < pages; got++) {
		uint32_t at = start + (got << PAGE_SHIFT);

		frames[got] = at >= KERNEL_BASE ? frame_behind(at) : page_in(s, at, write);
		if (frames[got] == NO_FRAME)
			break;
		frame_keep(frames[got]);
	}
	return got;
}

static void unlock_frames(const uint32_t *frames, uint32_t pages)
{
	while (pages--)
		frame_drop(frames[pages]);
}

static uint32_t list_pages(const uint32_t *frames, uint32_t start, uint32_t length,
			   struct os2_page_list *list)
{
	uint32_t entries = 0, at = start & PAGE_MASK;

	for (uint32_t i = 0; length; i++, at = 0) {
		uint32_t n = PAGE_SIZE - at < length ? PAGE_SIZE - at : length,
			 physical = frames[i] + at;

		if (entries && list[entries - 1].physical + list[entries - 1].size == physical)
			list[entries - 1].size += n;
		else
			list[entries++] = (struct os2_page_list){physical, n};
		length -= n;
	}
	return entries;
}

uint32_t help_vm_lock(struct help_registers *r)
{
	uint32_t flags = r->eax, start = r->ebx, length = r->ecx, pages = pages_of(start, length),
		 got;
	struct lock *lock = (struct lock *)r->esi;
	uint32_t *frames;

	if (!length || start + length - 1 < start)
		return ERROR_INVALID_PARAMETER;
	if (start < KERNEL_BASE && (!own_space() || length > KERNEL_BASE - start))
		return ERROR_INVALID_ADDRESS;
	frames = heap_take(pages * sizeof(*frames));
	if (!frames)
		return ERROR_NOT_ENOUGH_MEMORY;
	got = lock_frames(own_space(), start & ~PAGE_MASK, pages, flags & VMDHL_WRITE, frames);
	if (got < pages) {
		unlock_frames(frames, got);
		heap_drop(frames);
		return ERROR_INVALID_ADDRESS;
	}
	r->eax = 0;
	if (r->edi != NO_LIST)
		r->eax = list_pages(frames, start, length, (struct os2_page_list *)r->edi);
	*lock = (struct lock){LOCK_MAGIC, pages, frames};
	pages_locked += pages;
	return NO_ERROR;
}

uint32_t help_vm_unlock(struct help_registers *r)
{
	struct lock *lock = (struct lock *)r->esi;

	if (lock->magic != LOCK_MAGIC)
		return ERROR_INVALID_PARAMETER;
	unlock_frames(lock->frames, lock->pages);
	pages_locked -= lock->pages;
	heap_drop(lock->frames);
	memset(lock, 0, sizeof(*lock));
	return NO_ERROR;
}

uint32_t help_process_to_global(struct help_registers *r)
{
	uint32_t start = r->ebx & ~PAGE_MASK, pages = pages_of(r->ebx, r->ecx), linear;
	struct space *s = own_space();

	if (!s || !r->ecx || !range_in(s, r->ebx, r->ecx, r->eax & VMDHPG_WRITE))
		return ERROR_INVALID_ADDRESS;
	linear = map_reserve(pages);
	if (!linear)
		return ERROR_NOT_ENOUGH_MEMORY;
	for (uint32_t i = 0; i < pages; i++)
		map_run(linear + (i << PAGE_SHIFT), page_in(s, start + (i << PAGE_SHIFT), false), 1,
			true);
	for (uint32_t i = 0; i < pages && !(r->eax & VMDHPG_WRITE); i++)
		*map_entry(linear + (i << PAGE_SHIFT)) &= ~PTE_WRITE;
	r->eax = linear | (r->ebx & PAGE_MASK);
	return NO_ERROR;
}

uint32_t help_global_to_process(struct help_registers *r)
{
	uint32_t from = r->ebx & ~PAGE_MASK, pages = pages_of(r->ebx, r->ecx), start = 0, got = 0;
	uint32_t *frames;

	if (!own_space() || !r->ecx || from < KERNEL_BASE)
		return ERROR_INVALID_PARAMETER;
	frames = heap_take(pages * sizeof(*frames));
	if (!frames)
		return ERROR_NOT_ENOUGH_MEMORY;
	while (got < pages &&
	       (frames[got] = kernel_physical(from + (got << PAGE_SHIFT))) != NO_FRAME)
		got++;
	if (got == pages)
		start = mapping_make(own_space(), frames, pages, r->eax & VMDHGP_WRITE);
	heap_drop(frames);
	if (got < pages)
		return ERROR_INVALID_ADDRESS;
	r->eax = start | (r->ebx & PAGE_MASK);
	return start ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

uint32_t help_page_list(struct help_registers *r)
{
	struct os2_page_list *list = (struct os2_page_list *)r->edi;
	uint32_t at = r->eax, left = r->ecx, entries = 0;

	while (left) {
		uint32_t n = PAGE_SIZE - (at & PAGE_MASK), frame = frame_behind(at);

		if (frame == NO_FRAME)
			return ERROR_INVALID_ADDRESS;
		n = n < left ? n : left;
		entries += list_pages(&frame, at, n, &list[entries]);
		at += n;
		left -= n;
	}
	r->eax = entries;
	return NO_ERROR;
}

uint32_t help_physical(struct help_registers *r)
{
	uint32_t frame = frame_behind(r->esi);

	if (frame == NO_FRAME)
		return ERROR_INVALID_ADDRESS;
	r->eax = frame | (r->esi & PAGE_MASK);
	return NO_ERROR;
}

uint32_t help_protect(struct help_registers *r)
{
	uint32_t start = r->ebx & ~PAGE_MASK, pages = pages_of(r->ebx, r->ecx);

	if (map_pages(start) < pages)
		return ERROR_INVALID_ADDRESS;
	for (uint32_t i = 0; i < pages; i++) {
		uint64_t *entry = map_entry(start + (i << PAGE_SHIFT));

		*entry &= ~(PTE_WRITE | PTE_NX);
		if (r->eax & GUEST_PROT_WRITE)
			*entry |= PTE_WRITE;
		if (!(r->eax & GUEST_PROT_EXECUTE))
			*entry |= PTE_NX;
		page_forget(start + (i << PAGE_SHIFT));
	}
	return NO_ERROR;
}
