// SPDX-License-Identifier: MIT
/*
 * Asks the CPU's page tables what may be done at an address. It finds them in Linux's linear
 * mapping of the memory, which begins at a multiple of 1 GiB; so the machine must have no more.
 */
#include "ring0.h"

#define GIB	   ((uintptr_t)1 << 30)
#define CR4_LA57   (1u << 12)
#define FRAME	   0x000FFFFFFFFFF000ull
#define MAPPED	   1ull
#define WRITABLE   2ull
#define LARGE	   0x80ull
#define NO_EXECUTE (1ull << 63)

enum answer { IS_MAPPED = 1, IS_WRITABLE = 2, IS_EXECUTABLE = 4 };

static uintptr_t linear_mapping(void)
{
	void *memory = RTMemAlloc(16);
	uintptr_t start = (uintptr_t)memory & ~(GIB - 1);

	RTMemFree(memory);
	return start;
}

#ifdef __x86_64__
static uint64_t top_table(uint32_t *levels)
{
	uint64_t cr3, cr4;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	*levels = cr4 & CR4_LA57 ? 5 : 4;
	return cr3 & FRAME;
}

static uint64_t rights(uint64_t entry, uint32_t level)
{
	(void)level;
	return entry;
}
#else
static uint64_t top_table(uint32_t *levels)
{
	uint32_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	*levels = 3;
	return cr3 & ~31u;
}

/* The four entries at the top have no rights of their own. */
static uint64_t rights(uint64_t entry, uint32_t level)
{
	return level == 2 ? WRITABLE : entry;
}
#endif

int32_t image_entry(uintptr_t vm, uint32_t operation, void *argument)
{
	const uintptr_t linear = linear_mapping();
	uint64_t writable = WRITABLE, no_execute = 0, entry = 0;
	uint32_t level;
	uint64_t table = top_table(&level);

	(void)operation;
	(void)argument;
	do {
		uintptr_t index = vm >> (12 + 9 * --level) & 511;

		entry = ((const volatile uint64_t *)(linear + (uintptr_t)table))[index];
		if (!(entry & MAPPED))
			return 0;
		writable &= rights(entry, level);
		no_execute |= rights(entry, level) & NO_EXECUTE;
		table = entry & FRAME;
	} while (level && !(entry & LARGE));
	return IS_MAPPED | (writable ? IS_WRITABLE : 0) | (no_execute ? 0 : IS_EXECUTABLE);
}
