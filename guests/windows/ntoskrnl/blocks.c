/* SPDX-License-Identifier: MIT */
/* Blocks of frames, each a section, so that one memory can be seen by the driver and by a client.
 */
#include "emulation.h"

/* What the driver forgets to clear must show. */
#define STALE 0xA5

static struct block *blocks; /* by first frame */

static ULONG span(ULONG pages, ULONG stride)
{
	return (pages - 1) * stride + 1;
}

/* The first gap of `wanted` frames in [low, end), and the link where the block in it belongs. */
static struct block **find_gap(ULONG wanted, ULONG low, ULONG end, ULONG *first)
{
	struct block **link = &blocks;

	*first = low;
	for (; *link; link = &(*link)->next) {
		const struct block *next = *link;

		if (next->first >= *first && next->first - *first >= wanted) {
			break;
		}
		if (next->first + span(next->pages, next->stride) > *first) {
			*first = next->first + span(next->pages, next->stride);
		}
	}
	return *first < end && end - *first >= wanted ? link : NULL;
}

static NTSTATUS make_section(SIZE_T pages, HANDLE *section)
{
	LARGE_INTEGER size;

	size.QuadPart = (LONGLONG)pages * PAGE_SIZE;
	return ZwCreateSection(section, SECTION_ALL_ACCESS, NULL, &size, PAGE_EXECUTE_READWRITE,
			       SEC_COMMIT, NULL);
}

static BOOLEAN make_stale(struct block *block)
{
	void *base;

	if (!NT_SUCCESS(view_make(block, NULL, PAGE_READWRITE, &base))) {
		return FALSE;
	}
	RtlFillMemory(base, (SIZE_T)block->pages * PAGE_SIZE, STALE);
	view_end(block, NULL, base);
	return TRUE;
}

struct block *block_make(SIZE_T pages, ULONG stride, ULONG64 lowest, ULONG64 highest,
			 BOOLEAN zeroed)
{
	ULONG64 low = max((lowest + PAGE_SIZE - 1) / PAGE_SIZE, FIRST_LOW_FRAME);
	ULONG64 end = min(highest / PAGE_SIZE + 1, END_OF_LOW_FRAMES);
	struct block *block;
	struct block **link;

	if (pages == 0 || pages > END_OF_LOW_FRAMES / stride || low >= end) {
		return NULL;
	}
	block = memory_get(sizeof(*block));
	if (!block) {
		return NULL;
	}
	block->pages = (ULONG)pages;
	block->stride = stride;
	block->contiguous = NULL;
	block->locked = 0;
	block->freed = FALSE;
	link = find_gap(span(block->pages, stride), (ULONG)low, (ULONG)end, &block->first);
	if (!link || !NT_SUCCESS(make_section(pages, &block->section))) {
		memory_put(block);
		return NULL;
	}
	block->next = *link;
	*link = block;
	if (!zeroed && !make_stale(block)) {
		block_free(block);
		return NULL;
	}
	return block;
}

static void forget(struct block *block)
{
	struct block **link = &blocks;

	while (*link != block) {
		link = &(*link)->next;
	}
	*link = block->next;
	memory_put(block);
}

void block_free(struct block *block)
{
	ZwClose(block->section);
	block->contiguous = NULL;
	block->freed = TRUE;
	if (!block->locked) {
		forget(block);
	}
}

void block_lock(PFN_NUMBER frame)
{
	ULONG index;
	struct block *block = block_of_frame(frame, &index);

	if (block) {
		block->locked++;
	}
}

void block_unlock(PFN_NUMBER frame)
{
	ULONG index;
	struct block *block = block_of_frame(frame, &index);

	if (block && --block->locked == 0 && block->freed) {
		forget(block);
	}
}

PFN_NUMBER block_frame(const struct block *block, ULONG index)
{
	return block->first + (PFN_NUMBER)index * block->stride;
}

struct block *block_of_frame(PFN_NUMBER frame, ULONG *index)
{
	for (struct block *block = blocks; block; block = block->next) {
		if (frame >= block->first &&
		    frame < block->first + span(block->pages, block->stride)) {
			*index = (ULONG)(frame - block->first) / block->stride;
			return (frame - block->first) % block->stride ? NULL : block;
		}
	}
	return NULL;
}

struct block *block_at(const void *contiguous)
{
	struct block *block = blocks;

	while (block && block->contiguous != contiguous) {
		block = block->next;
	}
	return block;
}
