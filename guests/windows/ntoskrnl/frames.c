/* SPDX-License-Identifier: MIT */
/* Frames of pages that are no block's: above 4 GiB, given out one by one, remembered by process and
 * page. */
#include "emulation.h"

#define FIRST_SIZE 1024u

struct known {
	ULONG_PTR process; /* its id and 1, so that no entry in use is zero */
	ULONG_PTR page;
	PFN_NUMBER frame;
};

static struct known *table;
static ULONG table_size;
static ULONG table_used;
static PFN_NUMBER next_frame = END_OF_LOW_FRAMES;

static struct known *slot(struct known *in, ULONG size, ULONG_PTR process, ULONG_PTR page)
{
	ULONG at = (ULONG)((page * 2654435761u) ^ (process * 40503u)) & (size - 1);

	while (in[at].process && (in[at].process != process || in[at].page != page)) {
		at = (at + 1) & (size - 1);
	}
	return &in[at];
}

static BOOLEAN grow(void)
{
	ULONG size = table_size ? 2 * table_size : FIRST_SIZE;
	struct known *larger = memory_get(size * sizeof(*larger));

	if (!larger) {
		return FALSE;
	}
	RtlZeroMemory(larger, size * sizeof(*larger));
	for (ULONG i = 0; i < table_size; i++) {
		if (table[i].process) {
			*slot(larger, size, table[i].process, table[i].page) = table[i];
		}
	}
	memory_put(table);
	table = larger;
	table_size = size;
	return TRUE;
}

PFN_NUMBER frame_of_page(PEPROCESS process, ULONG_PTR address)
{
	ULONG_PTR id = (process ? (ULONG_PTR)PsGetProcessId(process) : 0) | 1;
	struct known *known;

	if (2 * table_used >= table_size && !grow()) {
		bug_check(BUG_NO_MEMORY, table_used, id);
	}
	known = slot(table, table_size, id, address / PAGE_SIZE);
	if (!known->process) {
		known->process = id;
		known->page = address / PAGE_SIZE;
		known->frame = next_frame++;
		table_used++;
	}
	return known->frame;
}
