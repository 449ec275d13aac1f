/* SPDX-License-Identifier: MIT */
/* OS/2: the process itself, time and threads. */
#include "os_os2.h"

#include <stdio.h>
#include <stdlib.h>

#define SECOND_NS     UINT64_C(1000000000)
#define FILES_MAX     4096u
#define STACK_SIZE    (64u * 1024)
#define MAJOR_OF_OS2  10u /* version 2.0 calls itself 20.00, Warp 4 20.40 */
#define VERSION_ITEMS 3u

const uint32_t os_enosys = ERROR_NOT_SUPPORTED;

static uint32_t clock_rate;

void os_start(void)
{
	DosSetMaxFH(FILES_MAX);
	DosTmrQueryFreq(&clock_rate);
}

void os_query(struct os_facts *facts)
{
	struct os2_thread_info info = {0};
	uint32_t version[VERSION_ITEMS] = {0};

	DosGetInfo(&info);
	DosQuerySysInfo(QSV_VERSION_MAJOR, QSV_VERSION_REVISION, version, sizeof(version));
	facts->os = "os2";
	facts->pid = info.pid;
	snprintf(facts->machine, sizeof(facts->machine), "x86");
	snprintf(facts->release, sizeof(facts->release), "%u.%u", (unsigned)version[0],
		 (unsigned)version[1]);
	snprintf(facts->version, sizeof(facts->version), "OS/2 %u.%u, revision %u",
		 (unsigned)(version[0] / MAJOR_OF_OS2), (unsigned)version[1], (unsigned)version[2]);
}

uint32_t os_page_size(void)
{
	static uint32_t size;

	if (!size)
		DosQuerySysInfo(QSV_PAGE_SIZE, QSV_PAGE_SIZE, &size, sizeof(size));
	return size;
}

uint64_t os_clock_ns(void)
{
	uint64_t ticks = 0;

	DosTmrQueryTime(&ticks);
	return ticks / clock_rate * SECOND_NS + ticks % clock_rate * SECOND_NS / clock_rate;
}

uint64_t os_time_ns(void)
{
	uint64_t now = 0;

	GuestTime(NULL, &now);
	return now;
}

uint32_t os_set_time_ns(uint64_t ns)
{
	return GuestTime(&ns, NULL);
}

/* Lets others run meanwhile. */
static void wait_ns(uint64_t ns)
{
	uint64_t until = os_clock_ns() + ns;

	while (os_clock_ns() < until)
		DosSleep(0);
}

void os_sleep_ms(uint32_t ms)
{
	DosSleep(ms);
}

/* The system sleeps whole milliseconds; what is less is waited for. */
void os_sleep_us(uint32_t us)
{
	if (us < 1000)
		wait_ns(us * UINT64_C(1000));
	else
		DosSleep(us / 1000);
}

/* Threads. */

struct os_thread {
	TID tid;
	void (*run)(void *);
	void *arg;
};

static void thread_main(uint32_t argument)
{
	os_thread *t = (os_thread *)argument;

	t->run(t->arg);
}

uint32_t os_thread_start(void (*run)(void *), void *arg, os_thread **thread)
{
	os_thread *t = malloc(sizeof(*t));
	uint32_t error;

	if (!t)
		return ERROR_NOT_ENOUGH_MEMORY;
	*t = (os_thread){.run = run, .arg = arg};
	error = DosCreateThread(&t->tid, thread_main, (uint32_t)t, STACK_COMMITTED, STACK_SIZE);
	if (error)
		free(t);
	else
		*thread = t;
	return error;
}

void os_thread_join(os_thread *thread)
{
	DosWaitThread(&thread->tid, DCWW_WAIT);
	free(thread);
}
