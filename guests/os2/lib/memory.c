/* SPDX-License-Identifier: MIT */
/* malloc: lists of free blocks by powers of two; what is large is the system's. */
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "os2_calls.h"

#define SMALLEST 5
#define LARGEST	 15
#define CHUNK	 0x40000u
#define HEAD	 16u /* keeps what follows aligned */

struct block {
	uint32_t order; /* over LARGEST: of the system, `size` bytes behind the head */
	uint32_t size;
	struct block *next;
};
_Static_assert(sizeof(struct block) <= HEAD, "the head has room for it");

static struct block *free_blocks[LARGEST + 1];
static uint8_t *chunk, *chunk_end;
static atomic_flag taken = ATOMIC_FLAG_INIT;

static void lock(void)
{
	while (atomic_flag_test_and_set(&taken))
		DosSleep(0);
}

static void unlock(void)
{
	atomic_flag_clear(&taken);
}

static void *system_take(size_t size)
{
	void *memory;

	return DosAllocMem(&memory, size, PAG_READ | PAG_WRITE | PAG_COMMIT) ? NULL : memory;
}

static struct block *carve(unsigned order)
{
	struct block *block;

	if ((size_t)(chunk_end - chunk) < 1u << order) {
		chunk = system_take(CHUNK);
		chunk_end = chunk ? chunk + CHUNK : NULL;
	}
	if (!chunk)
		return NULL;
	block = (struct block *)chunk;
	chunk += 1u << order;
	return block;
}

static void *take_large(size_t size)
{
	struct block *block = size < SIZE_MAX - HEAD ? system_take(size + HEAD) : NULL;

	if (!block)
		return NULL;
	block->order = LARGEST + 1;
	block->size = size;
	return (uint8_t *)block + HEAD;
}

void *malloc(size_t size)
{
	unsigned order = SMALLEST;
	struct block *block;

	if (size > (1u << LARGEST) - HEAD)
		return take_large(size);
	while (size + HEAD > 1u << order)
		order++;
	lock();
	block = free_blocks[order];
	if (block)
		free_blocks[order] = block->next;
	else
		block = carve(order);
	unlock();
	if (!block)
		return NULL;
	block->order = order;
	return (uint8_t *)block + HEAD;
}

void free(void *memory)
{
	struct block *block = (struct block *)((uint8_t *)memory - HEAD);

	if (!memory)
		return;
	if (block->order > LARGEST) {
		DosFreeMem(block);
		return;
	}
	lock();
	block->next = free_blocks[block->order];
	free_blocks[block->order] = block;
	unlock();
}

void *calloc(size_t count, size_t size)
{
	size_t all = count * size;
	void *memory;

	if (size && all / size != count)
		return NULL;
	memory = malloc(all);
	return memory ? memset(memory, 0, all) : NULL;
}

void *realloc(void *memory, size_t size)
{
	const struct block *block = (struct block *)((uint8_t *)memory - HEAD);
	size_t room;
	void *other;

	if (!memory)
		return malloc(size);
	room = block->order > LARGEST ? block->size : (1u << block->order) - HEAD;
	if (size <= room)
		return memory;
	other = malloc(size);
	if (!other)
		return NULL;
	memcpy(other, memory, room);
	free(memory);
	return other;
}
