/* SPDX-License-Identifier: MIT */
/* Processes and threads: what they share, what they cannot do, how they end. */
#include "test.h"

#define SHARED_PLACE ((volatile uint32_t *)0x60000000)
#define RW	     (PAG_READ | PAG_WRITE)

PID child_start(const char *argument)
{
	struct os2_result_codes codes;
	char line[64] = "TEST.EXE";

	strcpy(line + 9, argument);
	line[9 + strlen(argument) + 1] = 0;
	return DosExecPgm(NULL, 0, EXEC_ASYNCRESULT, line, NULL, &codes, "") ? 0 : codes.terminate;
}

static struct os2_result_codes awaited(PID pid)
{
	struct os2_result_codes codes = {99, 99};
	PID ended;

	DosWaitChild(DCWA_PROCESS, DCWW_WAIT, &codes, &ended, pid);
	return codes;
}

struct os2_result_codes child(const char *argument)
{
	return awaited(child_start(argument));
}

static void touch(uint32_t address, bool write)
{
	if (write)
		*(volatile uint32_t *)address = 1;
	else
		*(volatile uint32_t *)address;
}

static int own_memory(void)
{
	if (GuestAllocMemAt((void *)SHARED_PLACE, 0x1000, RW | PAG_COMMIT))
		return 1;
	if (*SHARED_PLACE != 0)
		return 2;
	*SHARED_PLACE = 0xC41D;
	return 3;
}

static int on_device(const char *what)
{
	uint32_t p[3] = {0}, d[8] = {0};
	HFILE file = device();

	if (strcmp(what, "map-and-die") == 0) {
		p[0] = 4;
		return ask(file, TEST_MAP, p, sizeof(p), d, sizeof(d)) ? 1 : 0;
	}
	if (strcmp(what, "write-mapping") == 0) {
		p[0] = 1; /* to be read only */
		ask(file, TEST_MAP, p, sizeof(p), d, sizeof(d));
		touch(d[0], false);
		touch(d[0], true);
	}
	if (strcmp(what, "block") == 0) {
		p[0] = 0xFFFFFFFF;
		ask(file, TEST_BLOCK, p, sizeof(p), d, sizeof(d));
	}
	if (strcmp(what, "block-hard") == 0) {
		p[0] = 200;
		p[1] = 1;
		ask(file, TEST_BLOCK, p, sizeof(p), d, sizeof(d));
	}
	return 9;
}

int child_main(const char *what)
{
	static char code[] = {(char)0xC3};

	if (strcmp(what, "exit") == 0)
		return 77;
	if (strcmp(what, "sleep") == 0)
		DosSleep(60000);
	if (strcmp(what, "spin") == 0)
		for (;;)
			;
	if (strcmp(what, "read-null") == 0)
		touch(0, false);
	if (strcmp(what, "read-kernel") == 0)
		touch(0xC0100000, false);
	if (strcmp(what, "write-kernel") == 0)
		touch(0xC0200000, true);
	if (strcmp(what, "read-map") == 0)
		touch(0xF0000000, false);
	if (strcmp(what, "write-code") == 0)
		touch((uint32_t)&child_main, true);
	if (strcmp(what, "run-data") == 0)
		((void (*)(void))(uint32_t)code)();
	if (strcmp(what, "interrupts-off") == 0)
		__asm__ volatile("cli");
	if (strcmp(what, "port") == 0)
		__asm__ volatile("outb %%al, $0x80" ::"a"(0));
	if (strcmp(what, "divide") == 0)
		__asm__ volatile("xor %%ecx, %%ecx\n\tdivl %%ecx" ::: "eax", "ecx", "edx");
	if (strcmp(what, "bad-stack") == 0)
		__asm__ volatile("xor %esp, %esp\n\tpush %eax");
	if (strcmp(what, "float") == 0)
		__asm__ volatile("fld1");
	if (strcmp(what, "own-memory") == 0)
		return own_memory();
	return on_device(what);
}

static void a_child_tells_how_it_ended(void)
{
	struct os2_result_codes codes = child("exit");

	CHECK(codes.terminate == TC_EXIT && codes.result == 77);
}

static void what_a_program_may_not_do_ends_it(void)
{
	static const struct {
		const char *what;
		uint32_t trap;
	} traps[] = {
	    {"read-null", 14},	{"read-kernel", 14}, {"write-kernel", 14},   {"read-map", 14},
	    {"write-code", 14}, {"run-data", 14},    {"interrupts-off", 13}, {"port", 13},
	    {"divide", 0},	{"bad-stack", 14},   {"float", 7},
	};

	for (unsigned i = 0; i < sizeof(traps) / sizeof(*traps); i++) {
		struct os2_result_codes codes = child(traps[i].what);

		if (codes.terminate != TC_TRAP || codes.result != traps[i].trap)
			printf("# %s: %u, %u\n", traps[i].what, codes.terminate, codes.result);
		CHECK(codes.terminate == TC_TRAP && codes.result == traps[i].trap);
	}
}

static void each_process_has_its_own_memory(void)
{
	struct os2_result_codes codes;

	CHECK(!GuestAllocMemAt((void *)SHARED_PLACE, 0x1000, RW | PAG_COMMIT));
	*SHARED_PLACE = 0xFA7;
	codes = child("own-memory");
	CHECK(codes.terminate == TC_EXIT && codes.result == 3);
	CHECK(*SHARED_PLACE == 0xFA7);
	CHECK(!DosFreeMem((void *)SHARED_PLACE));
}

static void a_process_can_be_killed_whatever_it_does(void)
{
	static const char *const whats[] = {"sleep", "spin", "block"};

	for (int i = 0; i < 3; i++) {
		PID pid = child_start(whats[i]), ended;
		struct os2_result_codes codes;

		DosSleep(30);
		CHECK(DosWaitChild(DCWA_PROCESS, DCWW_NOWAIT, &codes, &ended, pid) ==
		      ERROR_CHILD_NOT_COMPLETE);
		CHECK(!DosKillProcess(DKP_PROCESS, pid));
		codes = awaited(pid);
		CHECK(codes.terminate == TC_KILLPROCESS);
		CHECK(DosKillProcess(DKP_PROCESS, pid) == ERROR_INVALID_PROCID);
	}
}

static void a_process_in_the_kernel_dies_when_it_comes_out(void)
{
	PID pid = child_start("block-hard");
	struct os2_result_codes codes;
	uint32_t before, after;
	PID ended;

	DosSleep(30);
	CHECK(!DosQuerySysInfo(QSV_MS_COUNT, QSV_MS_COUNT, &before, 4));
	CHECK(!DosKillProcess(DKP_PROCESS, pid));
	CHECK(DosWaitChild(DCWA_PROCESS, DCWW_NOWAIT, &codes, &ended, pid) ==
	      ERROR_CHILD_NOT_COMPLETE);
	codes = awaited(pid);
	CHECK(!DosQuerySysInfo(QSV_MS_COUNT, QSV_MS_COUNT, &after, 4));
	CHECK(codes.terminate == TC_KILLPROCESS && after - before >= 50);
}

static void nothing_is_left_of_processes(void)
{
	uint32_t before, after;

	child("exit");
	child("sleep-not");
	CHECK(!DosQuerySysInfo(QSV_TOTAVAILMEM, QSV_TOTAVAILMEM, &before, 4));
	for (int i = 0; i < 20; i++) {
		child("exit");
		child("read-null");
		child("map-and-die");
	}
	CHECK(!DosQuerySysInfo(QSV_TOTAVAILMEM, QSV_TOTAVAILMEM, &after, 4));
	CHECK(after == before);
}

static volatile uint32_t counted;
static HEV event;

static void count_up(uint32_t to)
{
	for (uint32_t i = 0; i < to; i++)
		counted++;
	DosPostEventSem(event);
}

static void count_for_ever(uint32_t unused)
{
	(void)unused;
	for (;;)
		counted++;
}

static void threads_share_memory_and_events(void)
{
	TID tid, waited;
	uint32_t posts;

	counted = 0;
	CHECK(!DosCreateEventSem(NULL, &event, 0, 0));
	CHECK(DosWaitEventSem(event, 10) == ERROR_TIMEOUT);
	CHECK(!DosCreateThread(&tid, count_up, 1000, STACK_COMMITTED, 0x4000));
	CHECK(!DosWaitEventSem(event, 5000) && counted == 1000);
	CHECK(!DosResetEventSem(event, &posts) && posts == 1);
	waited = tid;
	CHECK(!DosWaitThread(&waited, DCWW_WAIT));
	CHECK(DosKillThread(tid) == ERROR_INVALID_THREADID);
	CHECK(!DosCloseEventSem(event));
}

static void nothing_is_left_of_threads(void)
{
	uint32_t before, after;
	TID tid;

	for (int i = 0; i < 21; i++) {
		CHECK(!DosCreateThread(&tid, count_up, 10, STACK_COMMITTED, 0x8000));
		CHECK(!DosWaitThread(&tid, DCWW_WAIT));
		if (i == 0)
			CHECK(!DosQuerySysInfo(QSV_TOTAVAILMEM, QSV_TOTAVAILMEM, &before, 4));
	}
	CHECK(!DosQuerySysInfo(QSV_TOTAVAILMEM, QSV_TOTAVAILMEM, &after, 4));
	CHECK(after == before);
}

static void a_thread_that_computes_keeps_nobody_else(void)
{
	uint32_t before;
	TID tid;

	CHECK(!DosCreateThread(&tid, count_for_ever, 0, STACK_COMMITTED, 0x4000));
	DosSleep(20);
	before = counted;
	DosSleep(20);
	CHECK(counted != before);
	CHECK(!DosKillThread(tid) && !DosWaitThread(&tid, DCWW_WAIT));
}

static void time_goes_on(void)
{
	uint64_t before, after;
	uint32_t frequency;

	CHECK(!DosTmrQueryFreq(&frequency) && !DosTmrQueryTime(&before));
	CHECK(!DosSleep(50));
	CHECK(!DosTmrQueryTime(&after));
	CHECK(after - before >= frequency / 20 && after - before < frequency * 10ull);
}

const struct test process_tests[] = {
    {"a_child_tells_how_it_ended", a_child_tells_how_it_ended},
    {"what_a_program_may_not_do_ends_it", what_a_program_may_not_do_ends_it},
    {"each_process_has_its_own_memory", each_process_has_its_own_memory},
    {"a_process_can_be_killed_whatever_it_does", a_process_can_be_killed_whatever_it_does},
    {"a_process_in_the_kernel_dies_when_it_comes_out",
     a_process_in_the_kernel_dies_when_it_comes_out},
    {"nothing_is_left_of_processes", nothing_is_left_of_processes},
    {"threads_share_memory_and_events", threads_share_memory_and_events},
    {"nothing_is_left_of_threads", nothing_is_left_of_threads},
    {"a_thread_that_computes_keeps_nobody_else", a_thread_that_computes_keeps_nobody_else},
    {"time_goes_on", time_goes_on},
    {NULL, NULL},
};
