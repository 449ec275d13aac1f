/* SPDX-License-Identifier: MIT */
/* Memory of a process. */
#include "test.h"

#define RW (PAG_READ | PAG_WRITE)

static bool readable(const void *address)
{
	char byte;

	return GuestRead(0, (uint32_t)address, &byte, 1) == NO_ERROR;
}

static bool writable(void *address)
{
	return GuestWrite(0, (uint32_t)address, "", 1) == NO_ERROR;
}

static void memory_is_zero_when_it_comes(void)
{
	uint32_t *memory;

	for (int round = 0; round < 3; round++) {
		CHECK(!DosAllocMem((void **)&memory, 0x10000, RW | PAG_COMMIT));
		for (int i = 0; i < 0x4000; i++) {
			CHECK(memory[i] == 0);
			memory[i] = 0xFFFFFFFF;
		}
		CHECK(!DosFreeMem(memory));
	}
	CHECK(!readable(memory));
	CHECK(DosFreeMem(memory) == ERROR_INVALID_ADDRESS);
}

static void what_is_reserved_is_not_there_until_it_is_committed(void)
{
	char *memory;
	uint32_t size = 0x10000, flags;

	CHECK(!DosAllocMem((void **)&memory, 0x4000, RW));
	CHECK(!readable(memory));
	CHECK(!DosSetMem(memory + 0x1000, 0x1000, RW | PAG_COMMIT));
	memory[0x1800] = 1;
	CHECK(!readable(memory + 0x2000));
	CHECK(!DosQueryMem(memory + 0x1000, &size, &flags) && size == 0x1000 &&
	      flags == (RW | PAG_COMMIT));
	CHECK(!DosSetMem(memory + 0x1000, 0x1000, PAG_DECOMMIT) && !readable(memory + 0x1000));
	CHECK(!DosSetMem(memory + 0x1000, 0x1000, RW | PAG_COMMIT) && memory[0x1800] == 0);
	CHECK(!DosFreeMem(memory));
	CHECK(!DosQueryMem(memory, &size, &flags) && flags == PAG_FREE);
}

static void protection_is_what_was_asked_for(void)
{
	char *memory;

	CHECK(!DosAllocMem((void **)&memory, 0x2000, RW | PAG_COMMIT));
	memory[0] = 5;
	CHECK(!DosSetMem(memory, 0x1000, PAG_READ) && readable(memory) && !writable(memory));
	CHECK(writable(memory + 0x1000));
	CHECK(!DosSetMem(memory, 0x1000, 0) && !readable(memory));
	CHECK(!DosSetMem(memory, 0x1000, RW) && memory[0] == 5);
	CHECK(DosSetMem(memory, 0x3000, RW) == ERROR_ACCESS_DENIED);
	CHECK(!DosFreeMem(memory));
}

static void a_place_can_be_asked_for(void)
{
	char *place = (char *)0x50000000, *memory;

	CHECK(!GuestAllocMemAt(place, 0x3000, RW | PAG_COMMIT));
	CHECK(GuestAllocMemAt(place + 0x2000, 0x1000, RW | PAG_COMMIT) == ERROR_INVALID_ADDRESS);
	CHECK(!GuestFreeRange(place + 0x1000, 0x1000));
	CHECK(readable(place) && !readable(place + 0x1000) && readable(place + 0x2000));
	CHECK(!GuestAllocMemAt(place + 0x1000, 0x1000, RW | PAG_COMMIT));
	CHECK(!GuestFreeRange(place, 0x3000) && !readable(place + 0x2000));
	CHECK(GuestAllocMemAt((void *)0xC0000000, 0x1000, RW) == ERROR_INVALID_ADDRESS);
	CHECK(GuestAllocMemAt((void *)0x1000, 0x1000, RW) == ERROR_INVALID_ADDRESS);
	CHECK(GuestAllocMemAt((void *)0xBFFFF000, 0x2000, RW) != NO_ERROR);
	CHECK(!DosAllocMem((void **)&memory, 0x1000, RW | PAG_COMMIT) && !DosFreeMem(memory));
}

static void what_there_is_not_is_refused_and_leaves_nothing(void)
{
	uint32_t before, after;
	void *memory, *first = NULL, *last = NULL;

	CHECK(!DosAllocMem(&memory, 0x1000, RW | PAG_COMMIT) && !DosFreeMem(memory));
	CHECK(!DosQuerySysInfo(QSV_TOTAVAILMEM, QSV_TOTAVAILMEM, &before, 4));
	CHECK(DosAllocMem(&memory, 0xC0000000, RW) == ERROR_NOT_ENOUGH_MEMORY);
	CHECK(DosAllocMem(&memory, 0, RW) == ERROR_INVALID_PARAMETER);
	CHECK(DosAllocMem((void **)0xC0100000, 0x1000, RW) == ERROR_INVALID_PARAMETER);
	CHECK(!DosAllocMem(&first, 0x40000000, RW));
	CHECK(!DosAllocMem(&last, 0x40000000, RW));
	CHECK(DosAllocMem(&memory, 0x40000000, RW) == ERROR_NOT_ENOUGH_MEMORY);
	CHECK(!DosFreeMem(first) && !DosFreeMem(last));
	CHECK(!DosQuerySysInfo(QSV_TOTAVAILMEM, QSV_TOTAVAILMEM, &after, 4));
	CHECK(after == before);
}

static void a_small_heap_gives_memory_again(void)
{
	void *blocks[64];

	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 64; i++) {
			blocks[i] = malloc((size_t)(i * 37 + 1));
			CHECK(blocks[i]);
			memset(blocks[i], i, (size_t)(i * 37 + 1));
		}
		for (int i = 0; i < 64; i++)
			CHECK(((uint8_t *)blocks[i])[i * 37] == i);
		for (int i = 0; i < 64; i++)
			free(blocks[i]);
	}
}

const struct test memory_tests[] = {
    {"memory_is_zero_when_it_comes", memory_is_zero_when_it_comes},
    {"what_is_reserved_is_not_there_until_it_is_committed",
     what_is_reserved_is_not_there_until_it_is_committed},
    {"protection_is_what_was_asked_for", protection_is_what_was_asked_for},
    {"a_place_can_be_asked_for", a_place_can_be_asked_for},
    {"what_there_is_not_is_refused_and_leaves_nothing",
     what_there_is_not_is_refused_and_leaves_nothing},
    {"a_small_heap_gives_memory_again", a_small_heap_gives_memory_again},
    {NULL, NULL},
};
