/* SPDX-License-Identifier: MIT */
/* The kernel's own objects: lists of free blocks by powers of two, whole pages for larger ones. */
#include "memory.h"

#define SMALLEST 5  /* 32 bytes, with the head */
#define LARGEST	 11 /* 2 KiB */

struct head {
	uint32_t order; /* of a small block; else pages << 8 */
	struct head *next;
};

static struct head *free_blocks[LARGEST + 1];

static bool refill(unsigned order)
{
	uint32_t physical = frame_take();

	if (physical == NO_FRAME)
		return false;
	memset(seen(physical), 0, PAGE_SIZE);
	for (uint32_t at = 0; at < PAGE_SIZE; at += 1u << order) {
		struct head *block = seen(physical + at);

		block->order = order;
		block->next = free_blocks[order];
		free_blocks[order] = block;
	}
	return true;
}

static void *take_pages(size_t size)
{
	uint32_t pages = page_up(size) >> PAGE_SHIFT, physical = frames_take(pages);
	struct head *block = seen(physical);

	if (physical == NO_FRAME)
		return NULL;
	memset(block, 0, pages << PAGE_SHIFT);
	block->order = pages << 8;
	return block + 1;
}

void *heap_take(size_t size)
{
	unsigned order = SMALLEST;
	struct head *block;

	size += sizeof(struct head);
	if (size > 1u << LARGEST)
		return size < MEMORY_MAX ? take_pages(size) : NULL;
	while (size > 1u << order)
		order++;
	if (!free_blocks[order] && !refill(order))
		return NULL;
	block = free_blocks[order];
	free_blocks[order] = block->next;
	return block + 1;
}

void *heap_take_zeroed(size_t size)
{
	void *memory = heap_take(size);

	return memory ? memset(memory, 0, size) : NULL;
}

void heap_drop(void *memory)
{
	struct head *block = (struct head *)memory - 1;

	if (!memory)
		return;
	if (block->order <= LARGEST) {
		block->next = free_blocks[block->order];
		free_blocks[block->order] = block;
		return;
	}
	for (uint32_t pages = block->order >> 8, at = physical_of(block); pages;
	     pages--, at += PAGE_SIZE)
		frame_drop(at);
}
