/* SPDX-License-Identifier: MIT */
/* Memory descriptor lists: pages allocated, locked, described and mapped. */
#include "emulation.h"

/* Pages of one list are not neighbours, as on a system that has run for a while. */
#define SCATTERED 2

static ULONG page_count(PMDL mdl)
{
	return ADDRESS_AND_SIZE_TO_SPAN_PAGES(MmGetMdlVirtualAddress(mdl), MmGetMdlByteCount(mdl));
}

static BOOLEAN may_be_written(ULONG protect)
{
	return (protect & (PAGE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_READWRITE |
			   PAGE_EXECUTE_WRITECOPY)) != 0;
}

static BOOLEAN may_be_read(ULONG protect)
{
	return may_be_written(protect) || (protect & (PAGE_READONLY | PAGE_EXECUTE_READ)) != 0;
}

struct range {
	ULONG_PTR address;
	ULONG_PTR end;
	LOCK_OPERATION operation;
};

/* Whether every page of the range is there and open to its operation. */
static NTSTATUS range_check(HANDLE process, void *arguments)
{
	const struct range *range = arguments;
	BOOLEAN(*may_be_used)
	(ULONG) = range->operation == IoReadAccess ? may_be_read : may_be_written;
	ULONG_PTR address = range->address;

	while (address < range->end) {
		region_facts there;
		NTSTATUS status = NtQueryVirtualMemory(process, (void *)address, REGION_FACTS,
						       &there, sizeof(there), NULL);

		if (!NT_SUCCESS(status) || there.State != MEM_COMMIT ||
		    (there.Protect & PAGE_GUARD) || !may_be_used(there.Protect)) {
			return STATUS_ACCESS_VIOLATION;
		}
		address = (ULONG_PTR)there.BaseAddress + there.RegionSize;
	}
	return STATUS_SUCCESS;
}

static NTSTATUS probe(PEPROCESS process, ULONG_PTR address, SIZE_T size, LOCK_OPERATION operation)
{
	HANDLE handle = process ? process_handle(process) : NtCurrentProcess();
	struct range range = {address, address + size, operation};
	NTSTATUS status = STATUS_ACCESS_VIOLATION;

	if (handle && size && range.end > address) {
		status = foreign_run(&handle, range_check, &range, sizeof(range));
	}
	if (process && handle) {
		ZwClose(handle);
	}
	return status;
}

static void fill_frames(PMDL mdl, PEPROCESS process)
{
	PPFN_NUMBER frames = MmGetMdlPfnArray(mdl);
	ULONG_PTR page = (ULONG_PTR)mdl->StartVa;

	for (ULONG i = 0; i < page_count(mdl); i++, page += PAGE_SIZE) {
		if (!view_frame(process, page, &frames[i])) {
			frames[i] = frame_of_page(process, page);
		}
	}
}

void NTAPI MmProbeAndLockPages(PMDL mdl, KPROCESSOR_MODE mode, LOCK_OPERATION operation)
{
	PEPROCESS process = mode == KernelMode ? NULL : process_now();
	NTSTATUS status;

	if (mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL)) {
		bug_check(BUG_LOCKED_PAGES, (ULONG_PTR)mdl, (ULONG_PTR)__builtin_return_address(0));
	}
	status = probe(process, (ULONG_PTR)MmGetMdlVirtualAddress(mdl), MmGetMdlByteCount(mdl),
		       operation);
	if (!NT_SUCCESS(status)) {
		ExRaiseStatus(status);
	}
	memory_lock();
	fill_frames(mdl, process);
	for (ULONG i = 0; i < page_count(mdl); i++) {
		block_lock(MmGetMdlPfnArray(mdl)[i]);
	}
	memory_unlock();
	mdl->Process = process;
	mdl->MdlFlags |= MDL_PAGES_LOCKED | (operation == IoReadAccess ? 0 : MDL_WRITE_OPERATION);
}

void NTAPI MmUnlockPages(PMDL mdl)
{
	if (!(mdl->MdlFlags & MDL_PAGES_LOCKED)) {
		bug_check(BUG_LOCKED_PAGES, (ULONG_PTR)mdl, (ULONG_PTR)__builtin_return_address(0));
	}
	if (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) {
		MmUnmapLockedPages(mdl->MappedSystemVa, mdl);
	}
	memory_lock();
	for (ULONG i = 0; i < page_count(mdl); i++) {
		block_unlock(MmGetMdlPfnArray(mdl)[i]);
	}
	memory_unlock();
	mdl->MdlFlags &= ~(MDL_PAGES_LOCKED | MDL_WRITE_OPERATION);
	mdl->Process = NULL;
}

void NTAPI MmBuildMdlForNonPagedPool(PMDL mdl)
{
	memory_lock();
	fill_frames(mdl, NULL);
	memory_unlock();
	mdl->MappedSystemVa = MmGetMdlVirtualAddress(mdl);
	mdl->MdlFlags |= MDL_SOURCE_IS_NONPAGED_POOL;
}

static PMDL describe(const struct block *block)
{
	SIZE_T size = sizeof(MDL) + block->pages * sizeof(PFN_NUMBER);
	PMDL mdl = ExAllocatePoolWithTag(NonPagedPool, size, 'ldMm');

	if (mdl) {
		RtlZeroMemory(mdl, size);
		MmInitializeMdl(mdl, NULL, (SIZE_T)block->pages * PAGE_SIZE);
		mdl->MdlFlags = MDL_PAGES_LOCKED;
		for (ULONG i = 0; i < block->pages; i++) {
			MmGetMdlPfnArray(mdl)[i] = block_frame(block, i);
		}
	}
	return mdl;
}

PMDL NTAPI MmAllocatePagesForMdlEx(PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high,
				   PHYSICAL_ADDRESS skip, SIZE_T size, MEMORY_CACHING_TYPE cache,
				   ULONG flags)
{
	BOOLEAN contiguous = (flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) != 0;
	struct block *block;
	PMDL mdl = NULL;

	UNREFERENCED_PARAMETER(skip);
	UNREFERENCED_PARAMETER(cache);
	memory_lock();
	block = block_make((size + PAGE_SIZE - 1) / PAGE_SIZE, contiguous ? 1 : SCATTERED,
			   (ULONG64)low.QuadPart, (ULONG64)high.QuadPart,
			   !(flags & MM_DONT_ZERO_ALLOCATION));
	if (block) {
		mdl = describe(block);
		if (!mdl) {
			block_free(block);
		}
	}
	memory_unlock();
	return mdl;
}

PMDL NTAPI MmAllocatePagesForMdl(PHYSICAL_ADDRESS low, PHYSICAL_ADDRESS high, PHYSICAL_ADDRESS skip,
				 SIZE_T size)
{
	return MmAllocatePagesForMdlEx(low, high, skip, size, MmCached, 0);
}

void NTAPI MmFreePagesFromMdl(PMDL mdl)
{
	struct block *block;
	ULONG index;

	memory_lock();
	block = block_of_frame(MmGetMdlPfnArray(mdl)[0], &index);
	if (!block || index || block->freed || block->contiguous || block_is_seen(block, NULL)) {
		bug_check(BUG_PFN_LIST_CORRUPT, (ULONG_PTR)mdl,
			  (ULONG_PTR)__builtin_return_address(0));
	}
	block_free(block);
	memory_unlock();
	mdl->MdlFlags &= ~MDL_PAGES_LOCKED;
}

/* The block whose pages, from the first on, the list names, or NULL. */
static struct block *described(PMDL mdl)
{
	PPFN_NUMBER frames = MmGetMdlPfnArray(mdl);
	ULONG count = page_count(mdl);
	ULONG index;
	struct block *block = count ? block_of_frame(frames[0], &index) : NULL;

	if (!block || index || block->freed || count > block->pages) {
		return NULL;
	}
	for (ULONG i = 1; i < count; i++) {
		if (frames[i] != block_frame(block, i)) {
			return NULL;
		}
	}
	return block;
}

static ULONG protection_of(ULONG priority)
{
	BOOLEAN write = !(priority & MdlMappingNoWrite);

	if (priority & MdlMappingNoExecute) {
		return write ? PAGE_READWRITE : PAGE_READONLY;
	}
	return write ? PAGE_EXECUTE_READWRITE : PAGE_EXECUTE_READ;
}

void *NTAPI MmMapLockedPagesSpecifyCache(PMDL mdl, KPROCESSOR_MODE mode, MEMORY_CACHING_TYPE cache,
					 void *requested, ULONG bug, MM_PAGE_PRIORITY priority)
{
	struct block *block;
	void *base = NULL;

	UNREFERENCED_PARAMETER(cache);
	UNREFERENCED_PARAMETER(bug);
	if (!(mdl->MdlFlags & (MDL_PAGES_LOCKED | MDL_SOURCE_IS_NONPAGED_POOL | MDL_PARTIAL)) ||
	    (mode == KernelMode && (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA))) {
		bug_check(BUG_MEMORY_MANAGEMENT, (ULONG_PTR)mdl,
			  (ULONG_PTR)__builtin_return_address(0));
	}
	if (mode == KernelMode && (mdl->MdlFlags & MDL_SOURCE_IS_NONPAGED_POOL)) {
		return mdl->MappedSystemVa;
	}
	memory_lock();
	block = requested ? NULL : described(mdl);
	if (block) {
		view_make(block, mode == KernelMode ? NULL : process_now(),
			  protection_of((ULONG)priority), &base);
	}
	memory_unlock();
	if (!base) {
		if (mode != KernelMode) {
			ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
		}
		return NULL;
	}
	base = (char *)base + MmGetMdlByteOffset(mdl);
	if (mode == KernelMode) {
		mdl->MappedSystemVa = base;
		mdl->MdlFlags |= MDL_MAPPED_TO_SYSTEM_VA;
	}
	return base;
}

void *NTAPI MmMapLockedPages(PMDL mdl, KPROCESSOR_MODE mode)
{
	return MmMapLockedPagesSpecifyCache(mdl, mode, MmCached, NULL, TRUE, HighPagePriority);
}

void NTAPI MmUnmapLockedPages(void *address, PMDL mdl)
{
	void *base = PAGE_ALIGN(address);
	BOOLEAN system =
	    (mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA) && address == mdl->MappedSystemVa;
	BOOLEAN ended;

	memory_lock();
	ended = view_end(described(mdl), system ? NULL : process_now(), base);
	memory_unlock();
	if (!ended) {
		bug_check(BUG_SYSTEM_PTE_MISUSE, (ULONG_PTR)mdl,
			  (ULONG_PTR)__builtin_return_address(0));
	}
	if (system) {
		mdl->MdlFlags &= ~MDL_MAPPED_TO_SYSTEM_VA;
		mdl->MappedSystemVa = NULL;
	}
}

NTSTATUS NTAPI MmProtectMdlSystemAddress(PMDL mdl, ULONG protection)
{
	void *base = PAGE_ALIGN(mdl->MappedSystemVa);
	SIZE_T size = (SIZE_T)page_count(mdl) * PAGE_SIZE;
	ULONG old;

	if (!(mdl->MdlFlags & MDL_MAPPED_TO_SYSTEM_VA)) {
		return STATUS_NOT_MAPPED_VIEW;
	}
	return NtProtectVirtualMemory(NtCurrentProcess(), &base, &size, protection, &old);
}
