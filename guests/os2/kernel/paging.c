/* SPDX-License-Identifier: MIT */
/* The kernel's half of every address space: all memory, then what is mapped page by page. */
#include "memory.h"

#define BIG_PAGE       0x200000u
#define FINE	       0x400000u /* so much of memory is mapped in small pages: the kernel is in there */
#define ENTRIES	       512
#define MAP_TABLES     ((MAP_END - MAP_START) / BIG_PAGE)
#define MSR_EFER       0xC0000080
#define EFER_NX	       0x800
#define CPUID_NX       (1u << 20)
#define CR4_PAE_GLOBAL 0x20 /* page size extension is part of PAE */

extern char kernel_text[], kernel_rodata[], kernel_data[];

static uint64_t pdpt[4] __attribute__((aligned(32)));
static uint64_t directory[ENTRIES] __attribute__((aligned(4096)));
static uint64_t fine_tables[FINE / BIG_PAGE][ENTRIES] __attribute__((aligned(4096)));
static uint64_t map_tables[MAP_TABLES][ENTRIES] __attribute__((aligned(4096)));
uint32_t kernel_pdpt;

/* What map_reserve gave, by address. */
struct reserved {
	struct reserved *next;
	uint32_t start;
	uint32_t pages;
};
static struct reserved *reserved_list, *reserved_last;

static uint64_t fine_rights(uint32_t address)
{
	if (address >= (uint32_t)kernel_text && address < (uint32_t)kernel_rodata)
		return PTE_PRESENT;
	if (address >= (uint32_t)kernel_rodata && address < (uint32_t)kernel_data)
		return PTE_PRESENT | PTE_NX;
	return PTE_PRESENT | PTE_WRITE | PTE_NX;
}

static void no_execute_start(void)
{
	uint32_t a = 0x80000001, b, c = 0, d, low, high;

	__asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (!(d & CPUID_NX)) {
		print("The processor has no NX.\n");
		for (;;)
			__asm__ volatile("cli\n\thlt");
	}
	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(MSR_EFER));
	__asm__ volatile("wrmsr" ::"a"(low | EFER_NX), "d"(high), "c"(MSR_EFER));
}

void paging_start(void)
{
	uint32_t base = (KERNEL_BASE >> 21) % ENTRIES, map = (MAP_START >> 21) % ENTRIES;

	no_execute_start();
	for (uint32_t i = 0; i < FINE / PAGE_SIZE; i++) {
		uint32_t physical = i << PAGE_SHIFT;

		fine_tables[i / ENTRIES][i % ENTRIES] =
		    physical | fine_rights(physical + KERNEL_BASE);
	}
	for (uint32_t i = 0; i < (MAP_START - KERNEL_BASE) / BIG_PAGE; i++)
		directory[base + i] =
		    (uint64_t)i * BIG_PAGE | PTE_PRESENT | PTE_WRITE | PTE_BIG | PTE_NX;
	for (uint32_t i = 0; i < FINE / BIG_PAGE; i++)
		directory[base + i] = physical_of(fine_tables[i]) | PTE_PRESENT | PTE_WRITE;
	for (uint32_t i = 0; i < MAP_TABLES; i++)
		directory[map + i] = physical_of(map_tables[i]) | PTE_PRESENT | PTE_WRITE;
	pdpt[3] = physical_of(directory) | PTE_PRESENT;
	kernel_pdpt = physical_of(pdpt);
	__asm__ volatile("mov %0, %%cr3" ::"r"(kernel_pdpt) : "memory");
}

uint64_t *map_entry(uint32_t address)
{
	uint32_t page = (address - MAP_START) >> PAGE_SHIFT;

	return &map_tables[page / ENTRIES][page % ENTRIES];
}

/* After `after` (NULL: at the start), with a page to spare behind. */
static uint32_t gap_behind(const struct reserved *after, uint32_t pages)
{
	uint32_t start = after ? after->start + ((after->pages + 1) << PAGE_SHIFT) : MAP_START;
	const struct reserved *next = after ? after->next : reserved_list;
	uint32_t end = next ? next->start : MAP_END;

	return end > start && (end - start) >> PAGE_SHIFT > pages ? start : 0;
}

uint32_t map_reserve(uint32_t pages)
{
	struct reserved *made = heap_take(sizeof(*made)), *after = reserved_last;
	uint32_t start = made && pages ? gap_behind(after, pages) : 0;

	/* Where the last one was put there is likely to be room; else the first gap from the start.
	 */
	if (made && pages && !start)
		for (after = NULL, start = gap_behind(after, pages); !start;) {
			after = after ? after->next : reserved_list;
			if (!after)
				break;
			start = gap_behind(after, pages);
		}
	if (!start) {
		heap_drop(made);
		return 0;
	}
	made->start = start;
	made->pages = pages;
	made->next = after ? after->next : reserved_list;
	*(after ? &after->next : &reserved_list) = made;
	reserved_last = made;
	return start;
}

void map_release(uint32_t address)
{
	struct reserved *before = NULL, *r = reserved_list;

	for (; r && r->start != address; r = r->next)
		before = r;
	if (!r)
		return;
	*(before ? &before->next : &reserved_list) = r->next;
	if (reserved_last == r)
		reserved_last = before;
	heap_drop(r);
}

uint32_t map_pages(uint32_t address)
{
	const struct reserved *r = reserved_list;

	while (r && r->start != address)
		r = r->next;
	return r ? r->pages : 0;
}

uint32_t kernel_physical(uint32_t address)
{
	uint64_t entry;

	if (address < KERNEL_BASE || address >= MAP_END)
		return NO_FRAME;
	if (address < MAP_START)
		return address - KERNEL_BASE;
	entry = *map_entry(address);
	return entry & PTE_PRESENT ? (uint32_t)(entry & PTE_ADDRESS) | (address & PAGE_MASK)
				   : NO_FRAME;
}

uint32_t map_memory(uint32_t pages)
{
	uint32_t start = map_reserve(pages);

	for (uint32_t i = 0; start && i < pages; i++) {
		uint32_t at = start + (i << PAGE_SHIFT), physical = frame_take();

		if (physical == NO_FRAME) {
			map_memory_drop(start);
			return 0;
		}
		*map_entry(at) = physical | PTE_PRESENT | PTE_WRITE | PTE_NX;
	}
	return start;
}

void map_memory_drop(uint32_t address)
{
	uint32_t pages = map_pages(address);

	for (uint32_t i = 0; i < pages; i++) {
		uint32_t at = address + (i << PAGE_SHIFT);
		uint64_t *entry = map_entry(at);

		if (*entry & PTE_PRESENT)
			frame_drop((uint32_t)(*entry & PTE_ADDRESS));
		*entry = 0;
		page_forget(at);
	}
	map_release(address);
}
