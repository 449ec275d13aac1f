/* SPDX-License-Identifier: MIT */
/* Pages of programs that are looked at by the kernel, or come when they are first used. */
#include "memory.h"

/* A committed page gets its frame, cleared. */
static bool entry_fill(uint64_t *entry, uint32_t address)
{
	uint32_t physical;

	if (*entry & PTE_FRAME)
		return true;
	physical = frame_take();
	if (physical == NO_FRAME)
		return false;
	memset(seen(physical), 0, PAGE_SIZE);
	*entry = (*entry & (PTE_COMMITTED | PTE_READ | PTE_WRITE | PTE_NX)) | physical | PTE_FRAME;
	if (*entry & PTE_READ)
		*entry |= PTE_PRESENT | PTE_USER;
	page_forget(address);
	return true;
}

uint32_t page_in(struct space *s, uint32_t address, bool write)
{
	uint64_t *entry = page_entry(s, address);

	if (!entry || !(*entry & PTE_COMMITTED) || !(*entry & PTE_READ))
		return NO_FRAME;
	if (write && !(*entry & PTE_WRITE))
		return NO_FRAME;
	return entry_fill(entry, address) ? (uint32_t)(*entry & PTE_ADDRESS) : NO_FRAME;
}

bool range_in(struct space *s, uint32_t start, uint32_t length, bool write)
{
	uint32_t at = start & ~PAGE_MASK;

	if (start >= KERNEL_BASE || length > KERNEL_BASE - start)
		return false;
	for (; length && at < start + length; at += PAGE_SIZE)
		if (page_in(s, at, write) == NO_FRAME)
			return false;
	return true;
}

static uint32_t in_page(uint32_t address, uint32_t left)
{
	uint32_t room = PAGE_SIZE - (address & PAGE_MASK);

	return left < room ? left : room;
}

bool space_read(struct space *s, void *to, uint32_t from, uint32_t length, uint32_t *done)
{
	*done = 0;
	while (*done < length) {
		uint32_t n = in_page(from, length - *done);
		uint32_t physical = from < KERNEL_BASE ? page_in(s, from, false) : NO_FRAME;

		if (physical == NO_FRAME)
			return false;
		memcpy((char *)to + *done, (char *)seen(physical) + (from & PAGE_MASK), n);
		*done += n;
		from += n;
	}
	return true;
}

bool space_write(struct space *s, uint32_t to, const void *from, uint32_t length, uint32_t *done)
{
	*done = 0;
	while (*done < length) {
		uint32_t n = in_page(to, length - *done);
		uint32_t physical = to < KERNEL_BASE ? page_in(s, to, true) : NO_FRAME;

		if (physical == NO_FRAME)
			return false;
		memcpy((char *)seen(physical) + (to & PAGE_MASK), (const char *)from + *done, n);
		*done += n;
		to += n;
	}
	return true;
}
