/* SPDX-License-Identifier: MIT */
/*
 * What drivers have mapped into a process. A mapping is told by where it was made, so no other one
 * comes there while its driver knows it, whatever the program has done to the range meanwhile: the
 * program may give back parts, and have memory of its own there.
 */
#include "memory.h"

struct mapping {
	struct mapping *next;
	uint32_t start;
	uint32_t size;
	bool writable;
};

/* The highest place free of regions and of mappings, as shared memory lies on OS/2; 0. */
static uint32_t place(struct space *s, uint32_t size)
{
	uint32_t end = KERNEL_BASE, start = 0;

	while (end && !start) {
		start = region_gap_below(s, end, size);
		end = 0;
		for (const struct mapping *m = s->mappings; m && start; m = m->next)
			if (start < m->start + m->size && m->start < start + size) {
				end = m->start;
				start = 0;
			}
	}
	return start;
}

uint32_t mapping_make(struct space *s, const uint32_t *frames, uint32_t pages, bool writable)
{
	uint64_t rights = PTE_READ | PTE_NX | (writable ? PTE_WRITE : 0);
	uint32_t size = pages << PAGE_SHIFT, start = place(s, size);
	struct mapping *m = start ? heap_take(sizeof(*m)) : NULL;

	if (!m || !region_make(s, start, size, REGION_DEVICE)) {
		heap_drop(m);
		return 0;
	}
	*m = (struct mapping){s->mappings, start, size, writable};
	s->mappings = m;
	region_at(s, start)->mapping = m;
	for (uint32_t i = 0; i < pages; i++)
		if (!page_put(s, start + (i << PAGE_SHIFT), frames[i], rights)) {
			mapping_end(s, start);
			return 0;
		}
	return start;
}

bool mapping_end(struct space *s, uint32_t start)
{
	struct mapping **slot = &s->mappings, *m;
	struct region *r;

	while (*slot && (*slot)->start != start)
		slot = &(*slot)->next;
	m = *slot;
	if (!m)
		return false;
	do {
		for (r = s->regions; r && r->mapping != m; r = r->next)
			;
		if (r)
			region_end(s, r);
	} while (r);
	*slot = m->next;
	heap_drop(m);
	return true;
}

bool mapping_may(const struct mapping *m, uint64_t rights)
{
	return rights & PTE_NX && (m->writable || !(rights & PTE_WRITE));
}

void mappings_forget(struct space *s)
{
	while (s->mappings) {
		struct mapping *m = s->mappings;

		s->mappings = m->next;
		heap_drop(m);
	}
}
