/* SPDX-License-Identifier: MIT */
/* Address spaces of processes: regions, and the page tables below 3 GiB. */
#include "memory.h"

#define ENTRIES	   512
#define PDPT_SIZE  32
#define USER_FLAGS (PTE_PRESENT | PTE_WRITE | PTE_USER)

static uint64_t *table_make(void)
{
	uint32_t physical = frame_take();

	return physical == NO_FRAME ? NULL : memset(seen(physical), 0, PAGE_SIZE);
}

bool space_make(struct space *s)
{
	memset(s, 0, sizeof(*s));
	s->pdpt = table_make();
	for (int i = 0; i < 3 && s->pdpt; i++) {
		s->directories[i] = table_make();
		if (!s->directories[i]) {
			space_end(s);
			return false;
		}
		s->pdpt[i] = physical_of(s->directories[i]) | PTE_PRESENT;
	}
	if (s->pdpt)
		s->pdpt[3] = ((uint64_t *)seen(kernel_pdpt))[3];
	return s->pdpt;
}

static void table_end(uint64_t *table)
{
	for (int i = 0; i < ENTRIES; i++)
		if (table[i] & PTE_FRAME)
			frame_drop((uint32_t)(table[i] & PTE_ADDRESS));
	frame_drop(physical_of(table));
}

void space_end(struct space *s)
{
	mappings_forget(s);
	while (s->regions) {
		struct region *r = s->regions;

		s->regions = r->next;
		heap_drop(r);
	}
	for (int i = 0; i < 3; i++) {
		for (int k = 0; s->directories[i] && k < ENTRIES; k++)
			if (s->directories[i][k])
				table_end(seen((uint32_t)(s->directories[i][k] & PTE_ADDRESS)));
		if (s->directories[i])
			frame_drop(physical_of(s->directories[i]));
	}
	if (s->pdpt)
		frame_drop(physical_of(s->pdpt));
	memset(s, 0, sizeof(*s));
}

uint64_t *page_entry(struct space *s, uint32_t address)
{
	uint64_t directory;

	if (address >= KERNEL_BASE || !s->pdpt)
		return NULL;
	directory = s->directories[address >> 30][address >> 21 & (ENTRIES - 1)];
	if (!directory)
		return NULL;
	return (uint64_t *)seen((uint32_t)(directory & PTE_ADDRESS)) +
	       (address >> PAGE_SHIFT & (ENTRIES - 1));
}

static uint64_t *page_entry_made(struct space *s, uint32_t address)
{
	uint64_t *directory = &s->directories[address >> 30][address >> 21 & (ENTRIES - 1)];

	if (!*directory) {
		uint64_t *table = table_make();

		if (!table)
			return NULL;
		*directory = physical_of(table) | USER_FLAGS;
	}
	return page_entry(s, address);
}

/* Where there is no table, the last page that it would have. */
static uint32_t skip_table(uint32_t address)
{
	return address | ((ENTRIES - 1) << PAGE_SHIFT);
}

/* Present only if it may be read: a write right alone is none, as on OS/2. */
static uint64_t entry_with(uint64_t entry, uint64_t rights)
{
	entry &= PTE_ADDRESS | PTE_FRAME;
	entry |= PTE_COMMITTED | (rights & (PTE_READ | PTE_WRITE | PTE_NX));
	if (entry & PTE_FRAME && rights & PTE_READ)
		entry |= PTE_PRESENT | PTE_USER;
	return entry;
}

bool pages_commit(struct space *s, uint32_t start, uint32_t size, uint64_t rights)
{
	for (uint32_t at = start; at < start + size; at += PAGE_SIZE) {
		uint64_t *entry = page_entry_made(s, at);

		if (!entry)
			return false;
		*entry = entry_with(*entry, rights);
		page_forget(at);
	}
	return true;
}

void pages_decommit(struct space *s, uint32_t start, uint32_t size)
{
	for (uint32_t at = start; at - start < size; at += PAGE_SIZE) {
		uint64_t *entry = page_entry(s, at);

		if (!entry) {
			at = skip_table(at);
			continue;
		}
		if (*entry & PTE_FRAME)
			frame_drop((uint32_t)(*entry & PTE_ADDRESS));
		*entry = 0;
		page_forget(at);
	}
}

bool pages_committed(struct space *s, uint32_t start, uint32_t size)
{
	for (uint32_t at = start; at - start < size; at += PAGE_SIZE) {
		uint64_t *entry = page_entry(s, at);

		if (!entry || !(*entry & PTE_COMMITTED))
			return false;
	}
	return true;
}

void pages_protect(struct space *s, uint32_t start, uint32_t size, uint64_t rights)
{
	for (uint32_t at = start; at - start < size; at += PAGE_SIZE) {
		uint64_t *entry = page_entry(s, at);

		if (entry && *entry & PTE_COMMITTED)
			*entry = entry_with(*entry, rights);
		page_forget(at);
	}
}

bool page_put(struct space *s, uint32_t address, uint32_t physical, uint64_t rights)
{
	uint64_t *entry = page_entry_made(s, address);

	if (!entry)
		return false;
	frame_keep(physical);
	*entry = entry_with(physical | PTE_FRAME, rights);
	page_forget(address);
	return true;
}

/* The region that ends behind `address`, or the next one. */
static struct region **slot_behind(struct space *s, uint32_t address)
{
	struct region **slot = &s->regions;

	while (*slot && (*slot)->start + (*slot)->size <= address)
		slot = &(*slot)->next;
	return slot;
}

struct region *region_at(struct space *s, uint32_t address)
{
	struct region *r = *slot_behind(s, address);

	return r && r->start <= address ? r : NULL;
}

static struct region *region_put(struct region **slot, uint32_t start, uint32_t size,
				 enum region_kind kind)
{
	struct region *made = heap_take(sizeof(*made));

	if (made) {
		*made = (struct region){*slot, start, size, kind, NULL};
		*slot = made;
	}
	return made;
}

/* The lowest gap from `start` on, or `start` itself; 0. */
static uint32_t gap_above(struct space *s, uint32_t start, uint32_t size, bool exactly)
{
	for (const struct region *r = *slot_behind(s, start); r && r->start < start + size;
	     r = r->next) {
		if (exactly)
			return 0;
		start = r->start + r->size;
		if (size > KERNEL_BASE - start)
			return 0;
	}
	return start;
}

uint32_t region_gap_below(struct space *s, uint32_t end, uint32_t size)
{
	uint32_t free_from = USER_START, found = 0;

	for (const struct region *r = s->regions; r && r->start < end; r = r->next) {
		if (r->start - free_from >= size)
			found = r->start - size;
		free_from = r->start + r->size;
	}
	return free_from < end && end - free_from >= size ? end - size : found;
}

uint32_t region_make(struct space *s, uint32_t hint, uint32_t size, enum region_kind kind)
{
	uint32_t start = hint ? hint : USER_START;

	if (size == 0 || size > KERNEL_BASE - start)
		return 0;
	start = gap_above(s, start, size, hint);
	return start && region_put(slot_behind(s, start), start, size, kind) ? start : 0;
}

void region_end(struct space *s, struct region *region)
{
	struct region **slot = &s->regions;

	while (*slot != region)
		slot = &(*slot)->next;
	pages_decommit(s, region->start, region->size);
	*slot = region->next;
	heap_drop(region);
}

/* What is left of a region behind `end` becomes one of its own. */
static void split(struct region *r, uint32_t end)
{
	struct region *rest;

	if (r->start + r->size <= end)
		return;
	rest = heap_take(sizeof(*rest));
	if (!rest)
		return; /* the range stays reserved */
	*rest = (struct region){r->next, end, r->start + r->size - end, r->kind, r->mapping};
	r->next = rest;
	r->size = end - r->start;
}

void range_end(struct space *s, uint32_t start, uint32_t size)
{
	uint32_t end = start + size;
	struct region *r;

	pages_decommit(s, start, size);
	while ((r = *slot_behind(s, start)) && r->start < end) {
		split(r, end);
		if (r->start < start)
			r->size = start - r->start;
		else
			region_end(s, r);
	}
}
