/* SPDX-License-Identifier: MIT */
/*
 * An ntoskrnl.exe for Wine that stands in for the memory management of Windows.
 *
 * Wine runs a driver in a process of its own, without a page of physical memory to its name: its
 * calls about memory descriptor lists, physical addresses and mappings into other processes return
 * nothing. These do what the documentation says, on memory that is shared between processes and
 * page frame numbers that are made up: distinct, stable, contiguous where asked for. What a driver
 * gets wrong in its bookkeeping ends as on Windows, in a bug check.
 */
#ifndef EMULATION_H
#define EMULATION_H

#include <ntifs.h>

#define FIRST_LOW_FRAME	  0x1000u
#define END_OF_LOW_FRAMES 0x100000u

#ifdef _WIN64
#define USER_END 0x7FFFFFFF0000ull
#else
#define USER_END 0x7FFF0000u
#endif
#define SHARED_INTERRUPT_TIME 0x7FFE0008u

/* What the headers at hand lack. */
#ifndef MdlMappingNoWrite
#define MdlMappingNoWrite   0x80000000u
#define MdlMappingNoExecute 0x40000000u
#endif
#define BUG_MEMORY_MANAGEMENT	     0x1Au
#define BUG_NO_MEMORY		     0x4Du
#define BUG_PFN_LIST_CORRUPT	     0x4Eu
#define BUG_BAD_POOL_CALLER	     0xC2u
#define BUG_SYSTEM_PTE_MISUSE	     0xDAu
#define BUG_LOCKED_PAGES	     0xD9u
#define BUG_PROCESS_HAS_LOCKED_PAGES 0x76u
#define BUG_DPC_LOST		     0xC7u

typedef struct {
	void *BaseAddress;
	void *AllocationBase;
	ULONG AllocationProtect;
	SIZE_T RegionSize;
	ULONG State;
	ULONG Protect;
	ULONG Type;
} region_facts;

#define REGION_FACTS 0

NTSTATUS NTAPI NtQueryVirtualMemory(HANDLE process, const void *address, ULONG what, void *facts,
				    SIZE_T size, SIZE_T *got);
NTSTATUS NTAPI NtProtectVirtualMemory(HANDLE process, void **base, SIZE_T *size, ULONG protection,
				      ULONG *old);

/* Memory that has frames: `pages` of a section, the frame of page i is first + i * stride. Under
 * the lock. */
struct block {
	struct block *next;
	HANDLE section;
	ULONG pages;
	ULONG first;
	ULONG stride;
	ULONG locked; /* how many locked pages of clients are its own: its frames stay taken while
			 there are any */
	BOOLEAN freed;
	void *contiguous; /* where the driver sees it, if it asked for contiguous memory */
};

struct block *block_make(SIZE_T pages, ULONG stride, ULONG64 lowest, ULONG64 highest,
			 BOOLEAN zeroed);
void block_free(struct block *block);
struct block *block_of_frame(PFN_NUMBER frame, ULONG *index);
struct block *block_at(const void *contiguous);
void block_unlock(PFN_NUMBER frame);
void block_lock(PFN_NUMBER frame);
PFN_NUMBER block_frame(const struct block *block, ULONG index);

/* Places where a block, from its first page, is seen. `process` is NULL for the driver's own. */
NTSTATUS view_make(struct block *block, PEPROCESS process, ULONG protection, void **base);
BOOLEAN view_end(const struct block *block, PEPROCESS process, void *base);
BOOLEAN view_frame(PEPROCESS process, ULONG_PTR address, PFN_NUMBER *frame);
BOOLEAN block_is_seen(const struct block *block, const void *but);

/* The frame of a page of a process (NULL: the driver's) that no block has; the same each time it is
 * asked for. */
PFN_NUMBER frame_of_page(PEPROCESS process, ULONG_PTR address);

/* The process whose addresses a call means: the one this thread has attached to, else the caller's.
 */
PEPROCESS process_now(void);
HANDLE process_handle(PEPROCESS process);
BOOLEAN process_attach_init(void);

/* Runs `work` on a process other than this one: see foreign.c. `arguments`, of `size` bytes, are
 * copied there and back. A handle that has become the work's own is NULL afterwards. */
typedef NTSTATUS (*foreign_work)(HANDLE process, void *arguments);
NTSTATUS foreign_run(HANDLE *process, foreign_work work, void *arguments, SIZE_T size);

void memory_lock(void);
void memory_unlock(void);
void *memory_get(SIZE_T size);
void memory_put(void *memory);

void bug_check(ULONG code, ULONG_PTR what, ULONG_PTR where);

#endif
