/* SPDX-License-Identifier: MIT */
/* Parts of the OS/2-like guest's kernel and library that need no machine, in a 32-bit program of
 * the host. */
#include <stdio.h>
#include <stdlib.h>

#include "os2_calls.h"
#include "process.h"

#define TEST(name) static void test_##name(void)
#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			printf("%s:%d: %s\n", __FILE__, __LINE__, #what);                          \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

/* What the kernel's other files would provide. */

#define FRAMES 512

static uint8_t memory[FRAMES * PAGE_SIZE] __attribute__((aligned(4096)));
static uint32_t users[FRAMES];
static uint32_t frames_left = FRAMES;
uint32_t kernel_pdpt;

static uint32_t frame_at(unsigned i)
{
	return physical_of(memory + i * PAGE_SIZE);
}

uint32_t frame_take(void)
{
	for (unsigned i = 0; i < FRAMES && frames_left; i++)
		if (!users[i]) {
			users[i] = 1;
			frames_left--;
			return frame_at(i);
		}
	return NO_FRAME;
}

static unsigned index_of(uint32_t physical)
{
	unsigned i = (physical - frame_at(0)) >> PAGE_SHIFT;

	CHECK(i < FRAMES && users[i]);
	return i;
}

void frame_keep(uint32_t physical)
{
	users[index_of(physical)]++;
}

void frame_drop(uint32_t physical)
{
	if (--users[index_of(physical)] == 0)
		frames_left++;
}

void *heap_take(size_t size)
{
	return malloc(size);
}

void *heap_take_zeroed(size_t size)
{
	return calloc(1, size);
}

void heap_drop(void *block)
{
	free(block);
}

uint32_t wake(uint32_t event)
{
	(void)event;
	return 0;
}

static uint64_t pdpt[4];

static void space_begin(struct space *s)
{
	kernel_pdpt = physical_of(pdpt);
	CHECK(space_make(s));
}

/* Nothing of the space is left. */
static void space_finish(struct space *s)
{
	space_end(s);
	CHECK(frames_left == FRAMES);
}

#define RW (PTE_READ | PTE_WRITE | PTE_NX)

TEST(a_ring_gives_back_what_was_put_in_over_its_end)
{
	uint8_t room[16], data[40], back[40];
	struct ring ring = {room, sizeof(room), 0xFFFFFFF8, 0xFFFFFFF8};

	for (unsigned i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (unsigned round = 0, sent = 0; round < 3; round++, sent += 10) {
		CHECK(ring_put(&ring, data + sent, 10) == 10);
		CHECK(ring_take(&ring, back + sent, 20) == 10);
	}
	CHECK(memcmp(data, back, 30) == 0);
	CHECK(ring_put(&ring, data, 20) == 16 && ring_room(&ring) == 0 && ring_used(&ring) == 16);
}

TEST(texts_have_values_in_them)
{
	char text[32];

	CHECK(format(text, sizeof(text), "%s %d %u %04x %c %%", "a", -7, 4000000000u, 0xBEu, 'z') ==
	      24);
	CHECK(strcmp(text, "a -7 4000000000 00be z %") == 0);
	CHECK(format(text, 4, "%s", "abcdef") == 6 && strcmp(text, "abc") == 0);
	CHECK(number_of("42\\x") == 42 && number_of("x") == 0);
}

TEST(names_become_normal)
{
	char name[NAME_MAX];

	CHECK(name_normal(name, "c:/dir/File.ext") && strcmp(name, "DIR\\FILE.EXT") == 0);
	CHECK(name_normal(name, "\\DEV\\SUPDRV$") && strcmp(name, "DEV\\SUPDRV$") == 0);
	CHECK(name_normal(name, "G:\\MAPS\\12") && strcmp(name, "G:\\MAPS\\12") == 0);
	CHECK(name_normal(name, "") && !name[0]);
	CHECK(
	    !name_normal(name, "0123456789012345678901234567890123456789012345678901234567890123"));
}

TEST(archives_become_files_and_later_ones_win)
{
	static const char archive[] = "070701000000010000818000000000000000000000000100000000000000"
				      "0500000000000000000000000000000000"
				      "0000000600000000a.txt\0hello\0\0\0\0\0\0\0"
				      "070701000000010000818000000000000000000000000100000000000000"
				      "0200000000000000000000000000000000"
				      "0000000600000000A.TXT\0by\0\0";
	struct memory_file *file;

	archive_read((const uint8_t *)archive, (const uint8_t *)archive + sizeof(archive));
	file = memory_file_find("A.TXT");
	CHECK(file && file->size == 2 && memcmp(file->bytes, "by", 2) == 0);
	CHECK(memory_file_after("") == file && !memory_file_after("A.TXT"));
	memory_file_remove(file);
	CHECK(!memory_file_find("A.TXT"));
}

TEST(a_file_grows_with_zeros_and_keeps_its_bytes)
{
	struct memory_file *file = memory_file_make("GROWS");
	struct open_file open = {.calls = &memory_file_calls, .object = file};
	uint32_t done, position;

	CHECK(!memory_file_calls.write(&open, "abc", 3, true, &done) && done == 3);
	CHECK(!memory_file_calls.seek(&open, 200000, FILE_BEGIN, &position));
	CHECK(!memory_file_calls.write(&open, "x", 1, true, &done) && file->size == 200001);
	CHECK(memcmp(file->bytes, "abc\0\0", 5) == 0 && file->bytes[199999] == 0 &&
	      file->bytes[200000] == 'x');
	CHECK(memory_file_calls.seek(&open, -200002, FILE_CURRENT, &position) ==
	      ERROR_NEGATIVE_SEEK);
	memory_file_remove(file);
}

TEST(regions_never_overlap_and_gaps_are_used)
{
	struct space s;
	uint32_t a, b, c;

	space_begin(&s);
	a = region_make(&s, 0, 0x3000, REGION_MEMORY);
	b = region_make(&s, 0, 0x1000, REGION_MEMORY);
	c = region_make(&s, 0, 0x1000, REGION_MEMORY);
	CHECK(a == USER_START && b == a + 0x3000 && c == b + 0x1000);
	CHECK(!region_make(&s, b, 0x1000, REGION_MEMORY) &&
	      !region_make(&s, a + 0x2000, 0x2000, REGION_MEMORY));
	region_end(&s, region_at(&s, b));
	CHECK(!region_at(&s, b) && region_at(&s, c) && region_at(&s, a + 0x2FFF)->start == a);
	CHECK(region_make(&s, 0, 0x2000, REGION_MEMORY) == c + 0x1000);
	CHECK(region_make(&s, 0, 0x1000, REGION_MEMORY) == b);
	CHECK(region_make(&s, KERNEL_BASE - 0x1000, 0x1000, REGION_MEMORY));
	CHECK(!region_make(&s, KERNEL_BASE - 0x2000, 0x3000, REGION_MEMORY));
	CHECK(!region_make(&s, 0, 0xFFFFF000, REGION_MEMORY) &&
	      !region_make(&s, 0, 0, REGION_MEMORY));
	space_finish(&s);
}

TEST(a_hole_leaves_two_regions)
{
	struct space s;
	uint32_t a, done;

	space_begin(&s);
	a = region_make(&s, 0, 0x5000, REGION_MEMORY);
	CHECK(pages_commit(&s, a, 0x5000, RW) && space_write(&s, a + 0xFFF, "12", 2, &done));
	range_end(&s, a + 0x1000, 0x2000);
	CHECK(region_at(&s, a)->size == 0x1000 && !region_at(&s, a + 0x1000) &&
	      !region_at(&s, a + 0x2FFF));
	CHECK(region_at(&s, a + 0x3000)->size == 0x2000);
	CHECK(page_in(&s, a, true) != NO_FRAME && page_in(&s, a + 0x1000, false) == NO_FRAME);
	range_end(&s, a, 0x5000);
	CHECK(!s.regions);
	space_finish(&s);
}

TEST(pages_come_when_they_are_used_and_as_allowed)
{
	struct space s;
	uint32_t a, done, before;
	char text[8] = "";

	space_begin(&s);
	a = region_make(&s, 0, 0x4000, REGION_MEMORY);
	CHECK(!pages_committed(&s, a, 0x1000) && page_in(&s, a, false) == NO_FRAME);
	CHECK(pages_commit(&s, a, 0x3000, RW));
	before = frames_left;
	CHECK(space_write(&s, a + 0xFFE, "abcd", 4, &done) && frames_left == before - 2);
	CHECK(space_read(&s, text, a + 0xFFE, 4, &done) && memcmp(text, "abcd", 4) == 0);
	pages_protect(&s, a, 0x1000, PTE_READ | PTE_NX);
	CHECK(page_in(&s, a, true) == NO_FRAME && page_in(&s, a, false) != NO_FRAME);
	CHECK(!range_in(&s, a, 0x2000, true) && range_in(&s, a, 0x3000, false) &&
	      !range_in(&s, a, 0x3001, false));
	pages_protect(&s, a, 0x1000, PTE_NX);
	CHECK(page_in(&s, a, false) == NO_FRAME && !space_read(&s, text, a, 1, &done));
	pages_protect(&s, a, 0x1000, RW);
	CHECK(space_read(&s, text, a + 0xFFE, 2, &done) && memcmp(text, "ab", 2) == 0);
	CHECK(!space_write(&s, a + 0x2FFF, "xy", 2, &done) && done == 1);
	pages_decommit(&s, a, 0x4000);
	CHECK(frames_left == before);
	CHECK(!range_in(&s, KERNEL_BASE - 1, 2, false) && !range_in(&s, 0xFFFFF000, 0x2000, false));
	space_finish(&s);
}

TEST(entries_say_what_the_processor_may_do)
{
	struct space s;
	uint32_t a;

	space_begin(&s);
	a = region_make(&s, 0, 0x2000, REGION_PROGRAM);
	CHECK(pages_commit(&s, a, 0x2000, PTE_READ));
	CHECK(!(*page_entry(&s, a) & PTE_PRESENT) && page_in(&s, a, false) != NO_FRAME);
	CHECK((*page_entry(&s, a) & (PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_NX)) ==
	      (PTE_PRESENT | PTE_USER));
	pages_protect(&s, a, 0x1000, RW);
	CHECK(*page_entry(&s, a) & PTE_WRITE && *page_entry(&s, a) & PTE_NX);
	pages_protect(&s, a, 0x1000, PTE_WRITE); /* no right to write alone */
	CHECK(!(*page_entry(&s, a) & PTE_PRESENT));
	space_finish(&s);
}

TEST(mappings_lie_at_the_top_and_end_as_they_were_made)
{
	struct space s;
	uint32_t frames[2] = {frame_take(), frame_take()}, first, second, done;

	space_begin(&s);
	first = mapping_make(&s, frames, 2, true);
	second = mapping_make(&s, frames, 1, false);
	CHECK(first == KERNEL_BASE - 0x2000 && second == first - 0x1000);
	CHECK(page_in(&s, first + 0x1000, true) == frames[1] &&
	      page_in(&s, second, false) == frames[0]);
	CHECK(page_in(&s, second, true) == NO_FRAME);
	CHECK(mapping_may(region_at(&s, first)->mapping, RW) &&
	      !mapping_may(region_at(&s, second)->mapping, RW));
	CHECK(!mapping_may(region_at(&s, first)->mapping, PTE_READ));
	/* The program has memory of its own in a part of the first. */
	range_end(&s, first, 0x1000);
	CHECK(region_make(&s, first, 0x1000, REGION_MEMORY) && pages_commit(&s, first, 0x1000, RW));
	CHECK(space_write(&s, first, "own", 3, &done));
	CHECK(mapping_make(&s, frames, 2, true) < second);
	CHECK(mapping_end(&s, first) && !mapping_end(&s, first));
	CHECK(page_in(&s, first, true) != NO_FRAME &&
	      page_in(&s, first + 0x1000, false) == NO_FRAME);
	space_end(&s);
	frame_drop(frames[0]);
	frame_drop(frames[1]);
	CHECK(frames_left == FRAMES);
}

TEST(without_memory_nothing_is_left_half_made)
{
	uint32_t all = frames_left, frame = frame_take();
	struct space s;

	kernel_pdpt = physical_of(pdpt);
	for (frames_left = 0; frames_left < 6; frames_left++) {
		uint32_t had = frames_left;
		bool made = space_make(&s);

		if (made && !mapping_make(&s, &frame, 1, true))
			CHECK(!s.regions && !s.mappings);
		if (made)
			space_end(&s);
		CHECK(frames_left == had);
	}
	frames_left = all - 1;
	frame_drop(frame);
}

TEST(memory_moves_whatever_its_length_and_place)
{
	uint8_t from[100], to[100];

	for (unsigned i = 0; i < sizeof(from); i++)
		from[i] = (uint8_t)(i + 1);
	for (unsigned length = 0; length < 70; length++)
		for (unsigned shift = 0; shift < 5; shift++) {
			memset(to, 0xEE, sizeof(to));
			memcpy(to + shift, from + 3, length);
			CHECK(memcmp(to + shift, from + 3, length) == 0 &&
			      to[shift + length] == 0xEE);
			memcpy(to, from, sizeof(to));
			memmove(to + shift, to, length);
			CHECK(memcmp(to + shift, from, length) == 0);
			CHECK(to[shift + length] == from[shift + length]);
			memcpy(to, from, sizeof(to));
			memmove(to, to + shift, length);
			CHECK(memcmp(to, from + shift, length) == 0 && to[length] == from[length]);
		}
}

TEST(division_of_long_numbers_is_right)
{
	uint64_t __udivdi3(uint64_t a, uint64_t b), __umoddi3(uint64_t a, uint64_t b);
	static const uint64_t numbers[] = {
	    1,		2,	     3,		  10,	      0xFFFF,
	    0xFFFFFFFF, 0x100000000, 0x100000001, 1000000007, 0x7FFFFFFFFFFFFFFF,
	    UINT64_MAX};

	for (unsigned i = 0; i < sizeof(numbers) / 8; i++)
		for (unsigned k = 0; k < sizeof(numbers) / 8; k++) {
			uint64_t a = numbers[i], b = numbers[k], q = __udivdi3(a, b),
				 r = __umoddi3(a, b);

			CHECK(r < b && q * b + r == a);
		}
}

#define RUN(name)                                                                                  \
	if (strcmp(argv[1], #name) == 0)                                                           \
		return test_##name(), 0;

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	RUN(a_ring_gives_back_what_was_put_in_over_its_end)
	RUN(texts_have_values_in_them)
	RUN(names_become_normal)
	RUN(archives_become_files_and_later_ones_win)
	RUN(a_file_grows_with_zeros_and_keeps_its_bytes)
	RUN(regions_never_overlap_and_gaps_are_used)
	RUN(a_hole_leaves_two_regions)
	RUN(pages_come_when_they_are_used_and_as_allowed)
	RUN(entries_say_what_the_processor_may_do)
	RUN(mappings_lie_at_the_top_and_end_as_they_were_made)
	RUN(without_memory_nothing_is_left_half_made)
	RUN(memory_moves_whatever_its_length_and_place)
	RUN(division_of_long_numbers_is_right)
	return 2;
}
