/* SPDX-License-Identifier: MIT */
/* Drivers: packets, helpers, what is mapped, loading. */
#include "test.h"

#define RW	   (PAG_READ | PAG_WRITE)
#define MAP_WRITE  1
#define LOCK_WRITE 8
#define FILE_NAME  "C:\\TEST.SYS"

static uint32_t available(void)
{
	uint32_t bytes = 0;

	DosQuerySysInfo(QSV_TOTAVAILMEM, QSV_TOTAVAILMEM, &bytes, sizeof(bytes));
	return bytes;
}

static void packets_come_and_go_with_their_lengths(void)
{
	uint32_t p[2] = {1, 2}, d[3] = {1, 2, 3}, p_length = 8, d_length = 12;
	HFILE file = device();

	CHECK(!DosDevIOCtl(file, TEST_CATEGORY, TEST_ECHO, p, 8, &p_length, d, 12, &d_length));
	CHECK(p_length == 0 && d_length == 12 && d[0] == 2 && d[2] == 4);
	d_length = 13;
	CHECK(DosDevIOCtl(file, TEST_CATEGORY, TEST_ECHO, p, 8, NULL, d, 12, &d_length) ==
	      ERROR_INVALID_PARAMETER);
	CHECK(DosDevIOCtl(file, TEST_CATEGORY, TEST_ECHO, p, 70000, NULL, d, 12, NULL) ==
	      ERROR_INVALID_PARAMETER);
	CHECK(!DosDevIOCtl2(d, 4, NULL, 0, TEST_ECHO, TEST_CATEGORY, file) && d[0] == 3);
	CHECK(DosDevIOCtl(file, 0x56, TEST_ECHO, NULL, 0, NULL, NULL, 0, NULL) ==
	      ERROR_BAD_COMMAND);
	CHECK(DosDevIOCtl(file, 0x156, TEST_ECHO, NULL, 0, NULL, NULL, 0, NULL) ==
	      ERROR_INVALID_PARAMETER);
	CHECK(!DosClose(file));
	CHECK(ask(file, TEST_ECHO, NULL, 0, d, 4) == ERROR_INVALID_HANDLE);
}

static void a_status_becomes_an_error(void)
{
	static const uint32_t known[][2] = {
	    {0x0100, NO_ERROR},
	    {0x8103, ERROR_BAD_COMMAND},
	    {0x810C, ERROR_GEN_FAILURE},
	    {0x8111, ERROR_INTERRUPT},
	    {0x8113, ERROR_INVALID_PARAMETER},
	    {0x8114, ERROR_DEVICE_IN_USE},
	    {0xC107, ERROR_USER_DEFINED_BASE + 7},
	};
	HFILE file = device();

	for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
		uint32_t status = known[i][0];

		CHECK(ask(file, TEST_STATUS, &status, 4, NULL, 0) == known[i][1]);
	}
	DosClose(file);
}

static void opens_have_numbers_and_closes_come_once(void)
{
	uint32_t first[4], second[4], third[4];
	HFILE file = device(), other = device(), copy = 0xFFFFFFFF;
	struct os2_thread_info info;

	CHECK(!ask(file, TEST_COUNTS, NULL, 0, first, sizeof(first)));
	CHECK(!ask(other, TEST_COUNTS, NULL, 0, second, sizeof(second)));
	CHECK(!DosGetInfo(&info) && first[2] == info.pid && second[2] == info.pid);
	CHECK(first[3] != second[3] && first[3] && second[3]);
	CHECK(!DosDupHandle(file, &copy) && !DosClose(file));
	CHECK(!ask(copy, TEST_COUNTS, NULL, 0, third, sizeof(third)));
	CHECK(third[3] == first[3] && third[1] == first[1]);
	CHECK(!DosClose(copy) && !ask(other, TEST_COUNTS, NULL, 0, third, sizeof(third)));
	CHECK(third[1] == first[1] + 1);
	CHECK(child("map-and-die").terminate == TC_EXIT);
	CHECK(!ask(other, TEST_COUNTS, NULL, 0, third, sizeof(third)) && third[1] == first[1] + 2);
	DosClose(other);
}

static void a_driver_sees_what_a_program_may_use(void)
{
	static const struct {
		uint32_t address, length, write, error;
	} known[] = {
	    {(uint32_t)&known, 4, 0, NO_ERROR},
	    {(uint32_t)&known, 4, 1, ERROR_PROTECTION_VIOLATION},
	    {0, 4, 0, ERROR_PROTECTION_VIOLATION},
	    {0xC0100000, 4, 0, ERROR_PROTECTION_VIOLATION},
	    {0xBFFFFFFE, 4, 0, ERROR_PROTECTION_VIOLATION},
	    {0xFFFFFFFC, 8, 0, ERROR_PROTECTION_VIOLATION},
	    {(uint32_t)&known, 0xFFFFFFFF, 0, ERROR_PROTECTION_VIOLATION},
	};
	HFILE file = device();
	uint32_t error;

	for (unsigned i = 0; i < sizeof(known) / sizeof(*known); i++) {
		uint32_t p[3] = {known[i].address, known[i].length, known[i].write};

		CHECK(!ask(file, TEST_VERIFY, p, sizeof(p), &error, 4) && error == known[i].error);
	}
	DosClose(file);
}

static void what_is_mapped_can_be_used_as_allowed(void)
{
	uint32_t p[2] = {2, MAP_WRITE}, d[2], before = available(), after, size = 0x1000, flags;
	HFILE file = device();

	CHECK(!ask(file, TEST_MAP, p, sizeof(p), d, sizeof(d)));
	CHECK(((uint32_t *)d[0])[1500] == 1500 && (d[1] & 0xFFF) == 0);
	((uint32_t *)d[0])[1500] = 1;
	CHECK(!DosQueryMem((void *)d[0], &size, &flags) && !(flags & PAG_EXECUTE) &&
	      flags & PAG_SHARED);
	CHECK(DosSetMem((void *)d[0], 0x1000, RW | PAG_EXECUTE) == ERROR_ACCESS_DENIED);
	CHECK(!ask(file, TEST_UNMAP, &d[0], 4, NULL, 0));
	CHECK(GuestRead(0, d[0], &after, 4) == ERROR_PROTECTION_VIOLATION);
	CHECK(ask(file, TEST_UNMAP, &d[0], 4, NULL, 0) == ERROR_GEN_FAILURE);
	p[1] = 0;
	CHECK(!ask(file, TEST_MAP, p, sizeof(p), d, sizeof(d)));
	CHECK(((uint32_t *)d[0])[1500] == 1500);
	CHECK(GuestWrite(0, d[0], "x", 1) == ERROR_PROTECTION_VIOLATION);
	CHECK(DosSetMem((void *)d[0], 0x1000, RW) == ERROR_ACCESS_DENIED);
	CHECK(!ask(file, TEST_UNMAP, &d[0], 4, NULL, 0));
	DosClose(file);
	after = available();
	CHECK(before - after <= 2 * 4096u); /* tables of pages stay */
	CHECK(child("write-mapping").terminate == TC_TRAP);
}

static void what_a_program_put_in_place_of_a_mapping_stays(void)
{
	uint32_t p[2] = {2, MAP_WRITE}, d[2], other[2];
	HFILE file = device();

	CHECK(!ask(file, TEST_MAP, p, sizeof(p), d, sizeof(d)));
	CHECK(!DosFreeMem((void *)d[0]));
	CHECK(!GuestAllocMemAt((void *)d[0], 0x2000, RW | PAG_COMMIT));
	*(uint32_t *)d[0] = 0xA11;
	CHECK(!ask(file, TEST_MAP, p, sizeof(p), other, sizeof(other)) && other[0] != d[0]);
	CHECK(!ask(file, TEST_UNMAP, &d[0], 4, NULL, 0) && *(uint32_t *)d[0] == 0xA11);
	CHECK(!ask(file, TEST_UNMAP, &other[0], 4, NULL, 0));
	CHECK(!DosFreeMem((void *)d[0]));
	DosClose(file);
}

static void locked_pages_stay_where_they_are(void)
{
	uint32_t p[3] = {0, 0x3000, LOCK_WRITE}, d[4], before;
	HFILE file = device();
	uint32_t *memory, unlocked;

	CHECK(!DosAllocMem((void **)&memory, 0x3000, RW | PAG_COMMIT));
	p[0] = (uint32_t)memory;
	CHECK(!ask(file, TEST_LOCK, p, sizeof(p), d, sizeof(d)) && d[0] == NO_ERROR && d[1] >= 1 &&
	      d[3] >= 0x1000);
	before = available();
	CHECK(!DosFreeMem(memory));
	CHECK(available() == before); /* they are nobody else's yet */
	CHECK(!ask(file, TEST_UNLOCK, NULL, 0, &unlocked, 4) && unlocked == NO_ERROR);
	CHECK(available() == before + 0x3000);
	CHECK(!ask(file, TEST_UNLOCK, NULL, 0, &unlocked, 4) &&
	      unlocked == ERROR_INVALID_PARAMETER);
	CHECK(!DosAllocMem((void **)&memory, 0x2000, PAG_READ | PAG_COMMIT));
	p[0] = (uint32_t)memory;
	p[1] = 0x2000;
	CHECK(!ask(file, TEST_LOCK, p, sizeof(p), d, sizeof(d)) && d[0] == ERROR_INVALID_ADDRESS);
	p[2] = 0;
	CHECK(!ask(file, TEST_LOCK, p, sizeof(p), d, sizeof(d)) && d[0] == NO_ERROR);
	CHECK(!ask(file, TEST_UNLOCK, NULL, 0, &unlocked, 4) && !DosFreeMem(memory));
	p[0] = 0xC0100000;
	p[1] = 0xF0000000;
	CHECK(!ask(file, TEST_LOCK, p, sizeof(p), d, sizeof(d)) && d[0] != NO_ERROR);
	DosClose(file);
}

static void a_driver_sees_the_memory_of_a_process_globally(void)
{
	uint32_t word = 0x600D, value, address = (uint32_t)&word;
	HFILE file = device();

	CHECK(!ask(file, TEST_GLOBAL, &address, 4, &value, 4) && value == 0x600D);
	address = 0x1000;
	CHECK(!ask(file, TEST_GLOBAL, &address, 4, &value, 4) && value == 0xFFFFFFFF);
	DosClose(file);
}

static void code_runs_when_it_is_made_executable(void)
{
	HFILE file = device();
	uint32_t value;

	CHECK(!ask(file, TEST_EXECUTE, NULL, 0, &value, 4) && value == 42);
	CHECK(!ask(file, TEST_UNKNOWN_HELP, NULL, 0, &value, 4) && value == ERROR_INVALID_FUNCTION);
	DosClose(file);
}

static void blocked_answer(uint32_t to)
{
	uint32_t p[2] = {5000, 0};
	HFILE file = device();

	ask(file, TEST_BLOCK, p, sizeof(p), (void *)to, 4);
	DosClose(file);
}

static void who_blocks_is_woken_or_times_out(void)
{
	uint32_t p[2] = {20, 0}, value, woken = 0;
	volatile uint32_t answer = 0xFFFF;
	HFILE file = device();
	TID tid;

	CHECK(!ask(file, TEST_BLOCK, p, sizeof(p), &value, 4) && value == WAIT_TIMED_OUT);
	CHECK(!DosCreateThread(&tid, blocked_answer, (uint32_t)&answer, STACK_COMMITTED, 0x4000));
	for (int i = 0; i < 100 && woken == 0; i++) {
		DosSleep(5);
		CHECK(!ask(file, TEST_RUN, NULL, 0, &woken, 4));
	}
	CHECK(woken == 1 && !DosWaitThread(&tid, DCWW_WAIT) && answer == 0);
	DosClose(file);
}

static void timers_tick_and_hooks_run(void)
{
	uint32_t before[2], after[2], runs[2];
	HFILE file = device();

	CHECK(!ask(file, TEST_TICKS, NULL, 0, before, sizeof(before)));
	DosSleep(300);
	CHECK(!ask(file, TEST_TICKS, NULL, 0, after, sizeof(after)));
	CHECK(after[0] - before[0] >= 10 && after[0] - before[0] <= 100);
	CHECK(after[1] - before[1] >= 1 && after[1] - before[1] <= 20);
	CHECK(!ask(file, TEST_HOOK, NULL, 0, &runs[0], 4) &&
	      !ask(file, TEST_HOOK, NULL, 0, &runs[1], 4));
	CHECK(runs[1] == runs[0] + 1);
	DosClose(file);
}

static void a_driver_goes_when_nobody_uses_it(void)
{
	struct guest_driver driver;
	HFILE file = device();
	uint32_t before;

	CHECK(GuestUnloadDriver(TEST_DEVICE) == ERROR_DEVICE_IN_USE);
	CHECK(!GuestQueryDriver("test$", &driver) && driver.opens == 1 &&
	      driver.build_id_length == 20);
	CHECK(!DosClose(file) && !GuestUnloadDriver(TEST_DEVICE));
	CHECK(device() == 0xFFFFFFFF && GuestUnloadDriver(TEST_DEVICE) == ERROR_FILE_NOT_FOUND);
	DosSleep(100); /* a timer that it has left behind would end the system */
	before = available();
	CHECK(GuestLoadDriver(FILE_NAME, "/F") == ERROR_OPEN_FAILED && device() == 0xFFFFFFFF);
	CHECK(GuestLoadDriver("C:\\CONFIG.SYS", "") == ERROR_BAD_EXE_FORMAT);
	CHECK(GuestLoadDriver("C:\\NONE.SYS", "") == ERROR_FILE_NOT_FOUND);
	CHECK(available() == before);
	CHECK(!GuestLoadDriver(FILE_NAME, "") &&
	      GuestLoadDriver(FILE_NAME, "") == ERROR_ALREADY_EXISTS);
	file = device();
	CHECK(!ask(file, TEST_ECHO, NULL, 0, &before, 4));
	DosClose(file);
}

const struct test driver_tests[] = {
    {"packets_come_and_go_with_their_lengths", packets_come_and_go_with_their_lengths},
    {"a_status_becomes_an_error", a_status_becomes_an_error},
    {"opens_have_numbers_and_closes_come_once", opens_have_numbers_and_closes_come_once},
    {"a_driver_sees_what_a_program_may_use", a_driver_sees_what_a_program_may_use},
    {"what_is_mapped_can_be_used_as_allowed", what_is_mapped_can_be_used_as_allowed},
    {"what_a_program_put_in_place_of_a_mapping_stays",
     what_a_program_put_in_place_of_a_mapping_stays},
    {"locked_pages_stay_where_they_are", locked_pages_stay_where_they_are},
    {"a_driver_sees_the_memory_of_a_process_globally",
     a_driver_sees_the_memory_of_a_process_globally},
    {"code_runs_when_it_is_made_executable", code_runs_when_it_is_made_executable},
    {"who_blocks_is_woken_or_times_out", who_blocks_is_woken_or_times_out},
    {"timers_tick_and_hooks_run", timers_tick_and_hooks_run},
    {"a_driver_goes_when_nobody_uses_it", a_driver_goes_when_nobody_uses_it},
    {NULL, NULL},
};
