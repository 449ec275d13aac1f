/* SPDX-License-Identifier: MIT */
/* Memory: blocks of powers of two that are used again, and mappings of their own for large ones. */
#include "runtime.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define BLOCK_LEAST  5u /* 32 bytes, as a power of two */
#define BLOCK_MOST   16u
#define CHUNK_BYTES  (256u * 1024)
#define HEADER_BYTES 16u

/* In front of each block. */
struct header {
	size_t size; /* of the whole, header included */
	struct header *next;
};
_Static_assert(sizeof(struct header) <= HEADER_BYTES, "what follows is aligned");

static struct header *free_blocks[BLOCK_MOST + 1];
static char *chunk;
static size_t chunk_left;
static atomic_flag locked = ATOMIC_FLAG_INIT;

static void memory_lock(void)
{
	while (atomic_flag_test_and_set_explicit(&locked, memory_order_acquire))
		;
}

static void memory_unlock(void)
{
	atomic_flag_clear_explicit(&locked, memory_order_release);
}

/* Where the program's own memory is, tests see as taken what they have freed. */
static void *pages_map(size_t size)
{
	void *at = mmap(RUNTIME_AREA, size, PROT_READ | PROT_WRITE, MAP_ANON | MAP_PRIVATE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

static unsigned power_for(size_t size)
{
	unsigned power = BLOCK_LEAST;

	while (((size_t)1 << power) < size)
		power++;
	return power;
}

/* With the lock held. */
static struct header *block_take(unsigned power)
{
	const size_t size = (size_t)1 << power;
	struct header *block = free_blocks[power];

	if (block) {
		free_blocks[power] = block->next;
		return block;
	}
	if (chunk_left < size) {
		chunk = pages_map(CHUNK_BYTES);
		chunk_left = chunk ? CHUNK_BYTES : 0;
	}
	if (!chunk)
		return NULL;
	block = (struct header *)(void *)chunk;
	chunk += size;
	chunk_left -= size;
	block->size = size;
	return block;
}

void *malloc(size_t size)
{
	struct header *block;

	if (size > SIZE_MAX / 2) {
		errno = ENOMEM;
		return NULL;
	}
	size += HEADER_BYTES;
	if (size > (size_t)1 << BLOCK_MOST) {
		block = pages_map(size);
		if (block)
			block->size = size;
	} else {
		memory_lock();
		block = block_take(power_for(size));
		memory_unlock();
	}
	if (!block)
		errno = ENOMEM;
	return block ? (char *)block + HEADER_BYTES : NULL;
}

static struct header *header_of(void *memory)
{
	return (struct header *)(void *)((char *)memory - HEADER_BYTES);
}

void free(void *memory)
{
	struct header *block;
	unsigned power;

	if (!memory)
		return;
	block = header_of(memory);
	if (block->size > (size_t)1 << BLOCK_MOST) {
		munmap(block, block->size);
		return;
	}
	power = power_for(block->size);
	memory_lock();
	block->next = free_blocks[power];
	free_blocks[power] = block;
	memory_unlock();
}

void *calloc(size_t count, size_t size)
{
	void *memory;

	if (size && count > SIZE_MAX / size) {
		errno = ENOMEM;
		return NULL;
	}
	memory = malloc(count * size);
	if (memory)
		memset(memory, 0, count * size);
	return memory;
}

void *realloc(void *memory, size_t size)
{
	size_t room = memory ? header_of(memory)->size - HEADER_BYTES : 0;
	void *larger;

	if (memory && size <= room)
		return memory;
	larger = malloc(size);
	if (larger && memory) {
		memcpy(larger, memory, room);
		free(memory);
	}
	return larger;
}
