// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <setjmp.h>
#include <stdint.h>

#include "host.h"
#include "heap.h"

#define PAGE 4096u

static long pages_live;
static bool pages_gone;
static jmp_buf on_broken;
static const char *complaint;

void *heap_pages_get(size_t size)
{
	const size_t whole = (size + PAGE - 1) / PAGE * PAGE;
	void *memory = pages_gone ? NULL : aligned_alloc(PAGE, whole);

	if (!memory)
		return NULL;
	pages_live++;
	return memset(memory, 0xA5, whole);
}

void heap_pages_release(void *memory)
{
	pages_live--;
	free(memory);
}

_Noreturn void heap_broken(const char *what)
{
	complaint = what;
	longjmp(on_broken, 1);
}

/* What the heap says of a release that is wrong; NULL: nothing. */
static const char *complaint_of_release(void *memory)
{
	complaint = NULL;
	if (!setjmp(on_broken))
		heap_release(memory);
	return complaint;
}

static bool is_zero(const uint8_t *memory, size_t size)
{
	while (size && !memory[size - 1])
		size--;
	return !size;
}

TEST(os2_heap_gives_zeroed_memory_of_every_size)
{
	size_t size;

	for (size = 1; size < 3 * PAGE; size += 37) {
		uint8_t *memory = heap_get(size);

		CHECK(memory);
		CHECK(is_zero(memory, size));
		CHECK((uintptr_t)memory % 8 == 0);
		memset(memory, 0xFF, size);
		heap_release(memory);
	}
	CHECK_EQUAL(pages_live, 0);
}

TEST(os2_heap_gives_zeroed_memory_again_after_it_was_used)
{
	uint8_t *keep = heap_get(100), *first = heap_get(100), *second;

	memset(first, 0xFF, 100);
	heap_release(first);
	second = heap_get(100);
	CHECK(second == first);
	CHECK(is_zero(second, 128));
	heap_release(second);
	heap_release(keep);
}

TEST(os2_heap_puts_no_piece_over_another)
{
	enum { COUNT = 1000 };
	static uint8_t *pieces[COUNT];
	uint32_t i;

	for (i = 0; i < COUNT; i++) {
		pieces[i] = heap_get(i % 500 + 1);
		memset(pieces[i], (int)(i % 251), i % 500 + 1);
	}
	for (i = 0; i < COUNT; i++) {
		CHECK_EQUAL(pieces[i][0], i % 251);
		CHECK_EQUAL(pieces[i][i % 500], i % 251);
	}
	for (i = 0; i < COUNT; i += 2)
		heap_release(pieces[i]);
	for (i = 1; i < COUNT; i += 2)
		heap_release(pieces[i]);
	CHECK_EQUAL(pages_live, 0);
	CHECK_EQUAL(heap_slabs(), 0);
}

TEST(os2_heap_gives_pages_of_their_own_to_what_is_large)
{
	void *small = heap_get(2016), *large = heap_get(2017);

	CHECK((uintptr_t)small % PAGE != 0);
	CHECK_EQUAL((uintptr_t)large % PAGE, 0);
	heap_release(small);
	heap_release(large);
	CHECK_EQUAL(pages_live, 0);
}

TEST(os2_heap_has_nothing_without_pages)
{
	pages_gone = true;
	CHECK(!heap_get(10));
	CHECK(!heap_get(10 * PAGE));
	pages_gone = false;
}

TEST(os2_heap_notices_what_is_released_twice_or_was_never_its_own)
{
	uint8_t *keep = heap_get(64), *memory = heap_get(64);

	CHECK(complaint_of_release(memory + 1));
	CHECK(complaint_of_release(memory + 8));
	CHECK(!complaint_of_release(memory));
	CHECK(complaint_of_release(memory));
	CHECK(!complaint_of_release(NULL));
	CHECK(!complaint_of_release(keep));
}
