/* SPDX-License-Identifier: MIT */
/* OS/2: memory of this process and of others. */
#include "os_os2.h"

#include "proto.h"

static uint32_t rights(uint32_t prot)
{
	return (prot & (MEM_READABLE | MEM_WRITABLE) ? PAG_READ : 0) |
	       (prot & MEM_WRITABLE ? PAG_WRITE : 0) | (prot & MEM_EXECUTABLE ? PAG_EXECUTE : 0);
}

/* Memory that nobody may touch is there without pages. */
static uint32_t allocation_flags(uint32_t prot)
{
	return prot ? PAG_COMMIT | rights(prot) : PAG_READ | PAG_WRITE;
}

static void *pointer(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static uint32_t map_at(uint64_t hint, uint64_t length, uint32_t flags, uint64_t *address)
{
	*address = hint;
	return GuestAllocMemAt(pointer(hint), (uint32_t)length, flags);
}

uint32_t os_map(uint64_t hint, uint64_t length, uint32_t prot, uint32_t flags, uint64_t *address)
{
	uint32_t page_flags = allocation_flags(prot), error;
	void *made = NULL;

	if (flags & MEM_FIXED)
		return map_at(hint, length, page_flags, address);
	if (hint && !map_at(hint, length, page_flags, address))
		return 0;
	error = DosAllocMem(&made, (uint32_t)length, page_flags);
	*address = (uintptr_t)made;
	return error;
}

uint32_t os_map_handle(os_handle handle, uint64_t length, uint32_t prot, bool copy, uint64_t offset,
		       uint64_t *address)
{
	(void)handle;
	(void)length;
	(void)prot;
	(void)copy;
	(void)offset;
	(void)address;
	return os_enosys;
}

uint32_t os_unmap(uint64_t address, uint64_t length)
{
	uint64_t page = os_page_size();

	if (length == 0 || address & (page - 1) || length > UINT32_MAX - page)
		return ERROR_INVALID_PARAMETER;
	return GuestFreeRange(pointer(address), (uint32_t)length);
}

/* A range of pages of one kind, from an address on. */
static uint32_t range_protect(uint64_t address, uint64_t length, uint32_t prot, uint32_t state)
{
	uint32_t flags = rights(prot);

	if (!(state & PAG_COMMIT))
		flags = prot ? flags | PAG_COMMIT : 0;
	if (!flags && !(state & PAG_COMMIT))
		return 0;
	return DosSetMem(pointer(address), (uint32_t)length, flags);
}

uint32_t os_protect(uint64_t address, uint64_t length, uint32_t prot)
{
	uint64_t page = os_page_size(), end = address + ((length + page - 1) & ~(page - 1));
	uint32_t error = 0;

	if (address & (page - 1) || end < address || end > UINT32_MAX)
		return ERROR_INVALID_PARAMETER;
	while (!error && address < end) {
		uint32_t size = (uint32_t)(end - address), state = 0;

		error = DosQueryMem(pointer(address), &size, &state);
		if (!error && state & PAG_FREE)
			error = ERROR_INVALID_ADDRESS;
		if (!error)
			error = range_protect(address, size, prot, state);
		address += size;
	}
	return error;
}

uint32_t os_move(uint64_t address, uint64_t length, uint64_t *to)
{
	(void)address;
	(void)length;
	(void)to;
	return os_enosys;
}

uint32_t os_peek(uint64_t address, void *to, size_t length)
{
	return GuestRead(0, (uint32_t)address, to, (uint32_t)length);
}

uint32_t os_poke(uint64_t address, const void *from, size_t length)
{
	return GuestWrite(0, (uint32_t)address, from, (uint32_t)length);
}

uint32_t os_process_copy(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	return GuestWrite(pid, (uint32_t)address, from, (uint32_t)length);
}

/* There is no debugger's interface. */
uint32_t os_process_debug(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	(void)pid;
	(void)address;
	(void)from;
	(void)length;
	return os_enosys;
}

/* No traps: a page is either there or not. */
uint32_t os_trap_set(uint64_t page, void (*react)(void *), void *arg, os_trap **trap)
{
	(void)page;
	(void)react;
	(void)arg;
	(void)trap;
	return os_enosys;
}

bool os_trap_clear(os_trap *trap)
{
	(void)trap;
	return false;
}

void os_trap_abandon(os_trap *trap)
{
	(void)trap;
}
