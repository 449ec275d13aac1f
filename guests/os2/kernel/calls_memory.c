/* SPDX-License-Identifier: MIT */
/* System calls on memory. */
#include "os2_calls.h"
#include "process.h"
#include "system_call.h"

static struct space *own(void)
{
	return &current->process->space;
}

static uint64_t rights_of(uint32_t flags)
{
	uint64_t rights = flags & PAG_EXECUTE ? 0 : PTE_NX;

	if (flags & (PAG_READ | PAG_WRITE | PAG_EXECUTE))
		rights |= PTE_READ;
	if (flags & PAG_WRITE)
		rights |= PTE_WRITE;
	return rights;
}

static uint32_t allocate(uint32_t hint, uint32_t size, uint32_t flags, uint32_t *address)
{
	struct space *s = own();

	if (size == 0 || size > KERNEL_BASE)
		return ERROR_INVALID_PARAMETER;
	size = page_up(size);
	*address = region_make(s, hint, size, REGION_MEMORY);
	if (!*address)
		return hint ? ERROR_INVALID_ADDRESS : ERROR_NOT_ENOUGH_MEMORY;
	if (!(flags & PAG_COMMIT) || pages_commit(s, *address, size, rights_of(flags)))
		return NO_ERROR;
	region_end(s, region_at(s, *address));
	return ERROR_NOT_ENOUGH_MEMORY;
}

uint32_t call_DosAllocMem(const uint32_t *a)
{
	uint32_t address, error = allocate(0, a[1], a[2], &address);

	if (error || user_write_word(a[0], address))
		return error;
	region_end(own(), region_at(own(), address));
	return ERROR_INVALID_PARAMETER;
}

uint32_t call_GuestAllocMemAt(const uint32_t *a)
{
	uint32_t address;

	if (a[0] & PAGE_MASK || a[0] < USER_START || a[0] >= KERNEL_BASE)
		return ERROR_INVALID_ADDRESS;
	return allocate(a[0], a[1], a[2], &address);
}

uint32_t call_DosFreeMem(const uint32_t *a)
{
	struct region *region = region_at(own(), a[0]);

	if (!region || region->start != (a[0] & ~PAGE_MASK))
		return ERROR_INVALID_ADDRESS;
	region_end(own(), region);
	return NO_ERROR;
}

uint32_t call_GuestFreeRange(const uint32_t *a)
{
	uint32_t end = a[0] + page_up(a[1]);

	if (a[0] & PAGE_MASK || a[1] == 0 || end < a[0] || end > KERNEL_BASE ||
	    page_up(a[1]) < a[1])
		return ERROR_INVALID_PARAMETER;
	range_end(own(), a[0], page_up(a[1]));
	return NO_ERROR;
}

uint32_t call_DosSetMem(const uint32_t *a)
{
	uint32_t start = a[0] & ~PAGE_MASK, size = page_up(a[1] + (a[0] & PAGE_MASK)), flags = a[2];
	const struct region *region = region_at(own(), start);

	if (a[1] == 0 || size < a[1])
		return ERROR_INVALID_PARAMETER;
	if (!region || size > region->start + region->size - start)
		return region ? ERROR_ACCESS_DENIED : ERROR_INVALID_ADDRESS;
	if (region->mapping && (flags & (PAG_DECOMMIT | PAG_COMMIT) ||
				!mapping_may(region->mapping, rights_of(flags))))
		return ERROR_ACCESS_DENIED;
	if (flags & PAG_DECOMMIT) {
		pages_decommit(own(), start, size);
		return NO_ERROR;
	}
	if (flags & PAG_COMMIT)
		return pages_commit(own(), start, size, rights_of(flags)) ? NO_ERROR
									  : ERROR_NOT_ENOUGH_MEMORY;
	if (!pages_committed(own(), start, size))
		return ERROR_ACCESS_DENIED;
	pages_protect(own(), start, size, rights_of(flags));
	return NO_ERROR;
}

static uint32_t flags_at(uint32_t address)
{
	const struct region *region = region_at(own(), address);
	const uint64_t *place = page_entry(own(), address);
	uint64_t entry = place ? *place : 0;
	uint32_t flags = region ? 0 : PAG_FREE;

	if (region && region->start == address)
		flags |= PAG_BASE;
	if (region && region->kind == REGION_DEVICE)
		flags |= PAG_SHARED;
	if (!(entry & PTE_COMMITTED))
		return flags;
	flags |= PAG_COMMIT | (entry & PTE_READ ? PAG_READ : 0);
	if (entry & PTE_READ && entry & PTE_WRITE)
		flags |= PAG_WRITE;
	if (entry & PTE_READ && !(entry & PTE_NX))
		flags |= PAG_EXECUTE;
	return flags;
}

uint32_t call_DosQueryMem(const uint32_t *a)
{
	uint32_t start = a[0] & ~PAGE_MASK, size, wanted, flags;

	if (!user_read(&wanted, a[1], sizeof(wanted)) || start >= KERNEL_BASE)
		return ERROR_INVALID_PARAMETER;
	flags = flags_at(start);
	for (size = PAGE_SIZE; size < wanted && start + size < KERNEL_BASE; size += PAGE_SIZE)
		if (flags_at(start + size) != (flags & ~PAG_BASE))
			break;
	return user_write_word(a[1], size) && user_write_word(a[2], flags)
		   ? NO_ERROR
		   : ERROR_INVALID_PARAMETER;
}

#define CHUNK PAGE_SIZE

/* Between the caller and any process, by way of the kernel. */
static uint32_t copy(const uint32_t *a, bool write)
{
	struct process *p = a[0] ? process_find(a[0]) : current->process;
	struct space *from, *to;
	uint32_t source = write ? a[2] : a[1], target = write ? a[1] : a[2], left = a[3], done = 0;
	uint8_t *buffer;

	if (!p || p->ended)
		return ERROR_INVALID_PROCID;
	from = write ? own() : &p->space;
	to = write ? &p->space : own();
	buffer = heap_take(CHUNK);
	if (!buffer)
		return ERROR_NOT_ENOUGH_MEMORY;
	while (left) {
		uint32_t n = left < CHUNK ? left : CHUNK, read;
		bool all = space_read(from, buffer, source, n, &read);

		if (!space_write(to, target, buffer, read, &done) || !all)
			break;
		source += n;
		target += n;
		left -= n;
	}
	heap_drop(buffer);
	return left ? ERROR_PROTECTION_VIOLATION : NO_ERROR;
}

uint32_t call_GuestRead(const uint32_t *a)
{
	return copy(a, false);
}

uint32_t call_GuestWrite(const uint32_t *a)
{
	return copy(a, true);
}
