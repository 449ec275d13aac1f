/* SPDX-License-Identifier: MIT */
/* Windows: memory of this process. */
#include "os_windows.h"

#include "proto.h"

#define GRANULE	  0x10000u /* addresses of allocations */
#define LOW_END	  UINT64_C(0x100000000)
#define LOW_BEGIN UINT64_C(0x10000)

static DWORD win_protection(uint32_t prot)
{
	static const DWORD protections[] = {
	    [0] = PAGE_NOACCESS,
	    [MEM_READABLE] = PAGE_READONLY,
	    [MEM_WRITABLE] = PAGE_READWRITE,
	    [MEM_READABLE | MEM_WRITABLE] = PAGE_READWRITE,
	    [MEM_EXECUTABLE] = PAGE_EXECUTE,
	    [MEM_EXECUTABLE | MEM_READABLE] = PAGE_EXECUTE_READ,
	    [MEM_EXECUTABLE | MEM_WRITABLE] = PAGE_EXECUTE_READWRITE,
	    [MEM_EXECUTABLE | MEM_READABLE | MEM_WRITABLE] = PAGE_EXECUTE_READWRITE,
	};

	return protections[prot & 7];
}

static bool region_at(uint64_t address, MEMORY_BASIC_INFORMATION *region)
{
	return VirtualQuery((void *)(uintptr_t)address, region, sizeof(*region)) != 0;
}

static uint64_t region_end(const MEMORY_BASIC_INFORMATION *region)
{
	return (uintptr_t)region->BaseAddress + (uint64_t)region->RegionSize;
}

static void *commit(uint64_t address, uint64_t length, DWORD how, uint32_t prot)
{
	return VirtualAlloc((void *)(uintptr_t)address, (SIZE_T)length, how, win_protection(prot));
}

/* The pages of an allocation that os_unmap() has emptied are reserved still. */
static bool is_hole(uint64_t address, uint64_t length)
{
	MEMORY_BASIC_INFORMATION region;

	return region_at(address, &region) && region.State == MEM_RESERVE &&
	       region_end(&region) >= address + length;
}

/* The allocation begins at the granule's start, but nothing in front of the hint is used. */
static uint32_t map_fixed(uint64_t hint, uint64_t length, uint32_t prot, uint64_t *address)
{
	uint64_t start = hint & ~(uint64_t)(GRANULE - 1);

	*address = hint;
	if (is_hole(hint, length))
		return win_error(commit(hint, length, MEM_COMMIT, prot) != NULL);
	if (!commit(start, hint - start + length, MEM_RESERVE, 0))
		return win_error(false);
	if (commit(hint, length, MEM_COMMIT, prot))
		return 0;
	VirtualFree((void *)(uintptr_t)start, 0, MEM_RELEASE);
	return ERROR_NOT_ENOUGH_MEMORY;
}

/* The first free range below 4 GiB that takes it. */
static void *map_low(uint64_t length, uint32_t prot)
{
	MEMORY_BASIC_INFORMATION region;

	for (uint64_t at = LOW_BEGIN; at < LOW_END && region_at(at, &region);
	     at = region_end(&region)) {
		uint64_t start = (at + GRANULE - 1) & ~(uint64_t)(GRANULE - 1);
		void *mapped;

		if (region.State != MEM_FREE || start + length > region_end(&region) ||
		    start + length > LOW_END)
			continue;
		mapped = commit(start, length, MEM_RESERVE | MEM_COMMIT, prot);
		if (mapped)
			return mapped;
	}
	SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	return NULL;
}

uint32_t os_map(uint64_t hint, uint64_t length, uint32_t prot, uint32_t flags, uint64_t *address)
{
	void *mapped = NULL;

	if (flags & MEM_FIXED)
		return map_fixed(hint, length, prot, address);
	if (hint)
		mapped = commit(hint, length, MEM_RESERVE | MEM_COMMIT, prot);
	if (!mapped && flags & MEM_LOW && sizeof(void *) == 8)
		mapped = map_low(length, prot);
	else if (!mapped)
		mapped = commit(0, length, MEM_RESERVE | MEM_COMMIT, prot);
	*address = (uintptr_t)mapped;
	return win_error(mapped != NULL);
}

uint32_t os_map_handle(os_handle handle, uint64_t length, uint32_t prot, bool copy, uint64_t offset,
		       uint64_t *address)
{
	bool writes = prot & MEM_WRITABLE;
	DWORD access = FILE_MAP_READ | (writes && !copy ? FILE_MAP_WRITE : 0);
	HANDLE section = CreateFileMappingW((HANDLE)handle, NULL,
					    copy     ? PAGE_WRITECOPY
					    : writes ? PAGE_READWRITE
						     : PAGE_READONLY,
					    0, 0, NULL);
	void *view;
	uint32_t error;

	if (!section)
		return win_error(false);
	view = MapViewOfFile(section, copy && writes ? FILE_MAP_COPY : access,
			     (DWORD)(offset >> 32), (DWORD)offset, (SIZE_T)length);
	error = win_error(view != NULL);
	CloseHandle(section);
	*address = (uintptr_t)view;
	return error;
}

static bool is_empty(const void *allocation)
{
	MEMORY_BASIC_INFORMATION region;
	uint64_t at = (uintptr_t)allocation;

	for (; region_at(at, &region) && region.AllocationBase == allocation;
	     at = region_end(&region))
		if (region.State == MEM_COMMIT)
			return false;
	return true;
}

/* Part of an allocation can only be emptied; the last part takes the allocation with it. */
static uint32_t unmap_private(const MEMORY_BASIC_INFORMATION *region, uint64_t from, uint64_t to)
{
	void *allocation = region->AllocationBase;

	if (region->State == MEM_COMMIT &&
	    !VirtualFree((void *)(uintptr_t)from, (SIZE_T)(to - from), MEM_DECOMMIT))
		return win_error(false);
	return is_empty(allocation) ? win_error(VirtualFree(allocation, 0, MEM_RELEASE)) : 0;
}

uint32_t os_unmap(uint64_t address, uint64_t length)
{
	uint64_t page = os_page_size(), end = address + ((length + page - 1) & ~(page - 1));
	MEMORY_BASIC_INFORMATION region;
	uint32_t error = 0;

	if (length == 0 || address & (page - 1) || end < address)
		return ERROR_INVALID_PARAMETER;
	while (!error && address < end) {
		uint64_t next;

		if (!region_at(address, &region))
			return win_error(false);
		next = region_end(&region) < end ? region_end(&region) : end;
		if (region.State != MEM_FREE && region.Type == MEM_PRIVATE)
			error = unmap_private(&region, address, next);
		else if (region.State != MEM_FREE)
			error = win_error(UnmapViewOfFile(region.AllocationBase));
		address = next;
	}
	return error;
}

uint32_t os_protect(uint64_t address, uint64_t length, uint32_t prot)
{
	uint64_t end = address + length;
	MEMORY_BASIC_INFORMATION region;
	DWORD before;

	if (end < address)
		return ERROR_INVALID_PARAMETER;
	while (address < end) {
		uint64_t next;

		if (!region_at(address, &region))
			return win_error(false);
		next = region_end(&region) < end ? region_end(&region) : end;
		if (!VirtualProtect((void *)(uintptr_t)address, (SIZE_T)(next - address),
				    win_protection(prot), &before))
			return win_error(false);
		address = next;
	}
	return 0;
}

uint32_t os_move(uint64_t address, uint64_t length, uint64_t *to)
{
	(void)address;
	(void)length;
	(void)to;
	return os_enosys;
}

/*
 * A copy in the process itself, so that what the page's protection refuses is refused. A bad
 * address ends it in the midst: the handler steps over the instruction, which leaves a count.
 */
#define COPY_LENGTH 2 /* bytes of the instruction */
extern const uint8_t copy_instruction[] __asm__("copy_instruction");

static __attribute__((noinline)) uint32_t copy_bytes(void *to, const void *from, size_t left)
{
	__asm__ volatile("copy_instruction: rep movsb"
			 : "+D"(to), "+S"(from), "+c"(left)
			 :
			 : "memory");
	return left ? ERROR_NOACCESS : 0;
}

static LONG CALLBACK copy_fault(EXCEPTION_POINTERS *e)
{
#if UINTPTR_MAX == UINT32_MAX
	DWORD *at = &e->ContextRecord->Eip;
#else
	DWORD64 *at = &e->ContextRecord->Rip;
#endif

	if (*at != (uintptr_t)copy_instruction)
		return EXCEPTION_CONTINUE_SEARCH;
	*at += COPY_LENGTH;
	return EXCEPTION_CONTINUE_EXECUTION;
}

void win_start_copying(void)
{
	AddVectoredExceptionHandler(1, copy_fault);
}

uint32_t os_peek(uint64_t address, void *to, size_t length)
{
	return copy_bytes(to, (const void *)(uintptr_t)address, length);
}

uint32_t os_poke(uint64_t address, const void *from, size_t length)
{
	return copy_bytes((void *)(uintptr_t)address, from, length);
}

/*
 * No traps: a page that is missing is told to the thread that touches it only outside of the
 * kernel; a request that meets one fails.
 */
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
