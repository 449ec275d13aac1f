/* SPDX-License-Identifier: MIT */
/* Contiguous memory, and what its physical addresses are. */
#include "emulation.h"

static void *allocate(SIZE_T size, ULONG64 lowest, ULONG64 highest, ULONG protection)
{
	struct block *block;
	void *base = NULL;

	memory_lock();
	block = block_make((size + PAGE_SIZE - 1) / PAGE_SIZE, 1, lowest, highest, FALSE);
	if (block && NT_SUCCESS(view_make(block, NULL, protection, &base))) {
		block->contiguous = base;
	} else if (block) {
		block_free(block);
	}
	memory_unlock();
	return base;
}

void *NTAPI MmAllocateContiguousMemory(SIZE_T size, PHYSICAL_ADDRESS highest)
{
	return allocate(size, 0, (ULONG64)highest.QuadPart, PAGE_EXECUTE_READWRITE);
}

void *NTAPI MmAllocateContiguousMemorySpecifyCache(SIZE_T size, PHYSICAL_ADDRESS lowest,
						   PHYSICAL_ADDRESS highest,
						   PHYSICAL_ADDRESS boundary,
						   MEMORY_CACHING_TYPE cache)
{
	UNREFERENCED_PARAMETER(boundary);
	UNREFERENCED_PARAMETER(cache);
	return allocate(size, (ULONG64)lowest.QuadPart, (ULONG64)highest.QuadPart,
			PAGE_EXECUTE_READWRITE);
}

void *NTAPI MmAllocateContiguousNodeMemory(SIZE_T size, PHYSICAL_ADDRESS lowest,
					   PHYSICAL_ADDRESS highest, PHYSICAL_ADDRESS boundary,
					   ULONG protect, NODE_REQUIREMENT node)
{
	UNREFERENCED_PARAMETER(boundary);
	UNREFERENCED_PARAMETER(node);
	return allocate(size, (ULONG64)lowest.QuadPart, (ULONG64)highest.QuadPart,
			protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE));
}

void NTAPI MmFreeContiguousMemory(void *base)
{
	struct block *block;

	memory_lock();
	block = base ? block_at(base) : NULL;
	if (!block || block_is_seen(block, base)) {
		bug_check(BUG_BAD_POOL_CALLER, (ULONG_PTR)base,
			  (ULONG_PTR)__builtin_return_address(0));
	}
	view_end(block, NULL, base);
	block_free(block);
	memory_unlock();
}

void NTAPI MmFreeContiguousMemorySpecifyCache(void *base, SIZE_T size, MEMORY_CACHING_TYPE cache)
{
	UNREFERENCED_PARAMETER(size);
	UNREFERENCED_PARAMETER(cache);
	MmFreeContiguousMemory(base);
}

PHYSICAL_ADDRESS NTAPI MmGetPhysicalAddress(void *address)
{
	PHYSICAL_ADDRESS physical;
	PFN_NUMBER frame;

	memory_lock();
	if (!view_frame(NULL, (ULONG_PTR)address, &frame)) {
		frame = frame_of_page(NULL, (ULONG_PTR)address);
	}
	memory_unlock();
	physical.QuadPart = ((LONGLONG)frame << PAGE_SHIFT) | BYTE_OFFSET(address);
	return physical;
}
