// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The kernel gives whole pages only. A page is divided into pieces of one size; what is larger has
 * pages of its own. The head of a page keeps pieces from beginning where a page does, so that an
 * address tells which of both it is.
 */
#include "heap.h"

#define PAGE	       4096u
#define SMALLEST       32u
#define CLASSES	       7u
#define HEAD	       64u
#define RELEASED_BYTE  0xDD
#define SLAB_SIGNATURE 0x62616C73u /* "slab" */

struct piece {
	struct piece *next;
};

struct slab {
	uint32_t signature;
	uint32_t class;
	uint32_t used;
	struct piece *free;
	struct slab *next, *previous; /* that have a free piece */
};

_Static_assert(sizeof(struct slab) <= HEAD, "the head holds it");

/* So that a page has no rest that would be a piece. */
static const uint32_t piece_size[CLASSES] = {32, 64, 128, 256, 512, 1008, 2016};
static struct slab *with_room[CLASSES];
static size_t slabs;

size_t heap_slabs(void)
{
	return slabs;
}

static uint32_t class_of(size_t size)
{
	uint32_t class = 0;

	while (class < CLASSES && piece_size[class] < size)
		class ++;
	return class;
}

static struct slab *slab_of(const void *memory)
{
	return (struct slab *)((uintptr_t)memory & ~(uintptr_t)(PAGE - 1));
}

static void slab_link(struct slab *slab)
{
	slab->previous = NULL;
	slab->next = with_room[slab->class];
	if (slab->next)
		slab->next->previous = slab;
	with_room[slab->class] = slab;
}

static void slab_unlink(struct slab *slab)
{
	if (slab->next)
		slab->next->previous = slab->previous;
	if (slab->previous)
		slab->previous->next = slab->next;
	else
		with_room[slab->class] = slab->next;
}

static struct slab *slab_make(uint32_t class)
{
	struct slab *slab = heap_pages_get(PAGE);
	uint32_t at;

	if (!slab)
		return NULL;
	*slab = (struct slab){.signature = SLAB_SIGNATURE, .class = class};
	for (at = HEAD; at + piece_size[class] <= PAGE; at += piece_size[class]) {
		struct piece *piece = (struct piece *)((uint8_t *)slab + at);

		piece->next = slab->free;
		slab->free = piece;
	}
	slab_link(slab);
	slabs++;
	return slab;
}

static void *piece_get(uint32_t class)
{
	struct slab *slab = with_room[class] ? with_room[class] : slab_make(class);
	struct piece *piece;

	if (!slab)
		return NULL;
	piece = slab->free;
	slab->free = piece->next;
	slab->used++;
	if (!slab->free)
		slab_unlink(slab);
	return memset(piece, 0, piece_size[class]);
}

void *heap_get(size_t size)
{
	uint32_t class = class_of(size);
	void *memory;

	if (class < CLASSES)
		return piece_get(class);
	memory = heap_pages_get(size);
	return memory ? memset(memory, 0, size) : NULL;
}

static void piece_check(const struct slab *slab, const void *memory)
{
	const uintptr_t offset = (uintptr_t)memory - (uintptr_t)slab;
	const struct piece *piece;

	if (slab->signature != SLAB_SIGNATURE || offset < HEAD ||
	    (offset - HEAD) % piece_size[slab->class])
		heap_broken("what is released is no piece of memory");
	for (piece = slab->free; piece; piece = piece->next)
		if (piece == memory)
			heap_broken("memory is released twice");
}

static void piece_release(void *memory)
{
	struct slab *slab = slab_of(memory);
	struct piece *piece = memory;

	piece_check(slab, memory);
	memset(memory, RELEASED_BYTE, piece_size[slab->class]);
	if (!slab->free)
		slab_link(slab);
	piece->next = slab->free;
	slab->free = piece;
	if (--slab->used)
		return;
	slab_unlink(slab);
	slab->signature = 0;
	slabs--;
	heap_pages_release(slab);
}

void heap_release(void *memory)
{
	if (!memory)
		return;
	if ((uintptr_t)memory % PAGE)
		piece_release(memory);
	else
		heap_pages_release(memory);
}
