// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Time, and the timer of the core. */
#include "supdrv_windows.h"
#include "supdrv_glue.h"

#define NS_PER_SECOND 1000000000u
#define NS_PER_MS     1000000u
#define NS_PER_UNIT   100u /* of the kernel's times */

enum timer_state { TIMER_IDLE, TIMER_TICKING, TIMER_STOPPED };

struct supdrv_timer {
	KTIMER timer;
	KDPC dpc;
	supdrv_tick *tick;
	void *argument;
	volatile LONG state; /* an enum timer_state */
};

/* Lengthened, for the product of a count and 10^9 has more than 64 bits after some minutes. */
static uint64_t counter_ns(uint64_t count, uint64_t frequency)
{
	return count / frequency * NS_PER_SECOND + count % frequency * NS_PER_SECOND / frequency;
}

void supdrv_os_time_read(struct supdrv_time *time)
{
	LARGE_INTEGER frequency, count = KeQueryPerformanceCounter(&frequency);

	time->ns = counter_ns((uint64_t)count.QuadPart, (uint64_t)frequency.QuadPart);
	time->tsc = __rdtsc();
}

/* A DPC that is queued again runs on another CPU while the first one is under way: what comes
 * twice is left out. */
static void NTAPI timer_expired(PKDPC dpc, void *context, void *unused1, void *unused2)
{
	struct supdrv_timer *timer = context;

	(void)dpc;
	(void)unused1;
	(void)unused2;
	if (InterlockedCompareExchange(&timer->state, TIMER_TICKING, TIMER_IDLE) != TIMER_IDLE)
		return;
	timer->tick(timer->argument);
	InterlockedExchange(&timer->state, TIMER_IDLE);
}

int32_t supdrv_os_timer_start(uint32_t interval_ns, supdrv_tick *tick, void *argument,
			      struct supdrv_timer **timer)
{
	struct supdrv_timer *made = supdrv_os_alloc(sizeof(*made));
	LARGE_INTEGER due;

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->tick = tick;
	made->argument = argument;
	made->state = TIMER_IDLE;
	KeInitializeTimerEx(&made->timer, NotificationTimer);
	KeInitializeDpc(&made->dpc, timer_expired, made);
	/* Timers go off at the clock's interrupts, which are further apart by default. */
	ExSetTimerResolution(interval_ns / NS_PER_UNIT, TRUE);
	due.QuadPart = -(LONGLONG)(interval_ns / NS_PER_UNIT);
	KeSetTimerEx(&made->timer, due, (LONG)(interval_ns / NS_PER_MS), &made->dpc);
	*timer = made;
	return SUPDRV_OK;
}

void supdrv_os_timer_stop(struct supdrv_timer *timer)
{
	KeCancelTimer(&timer->timer);
	ExSetTimerResolution(0, FALSE);
	while (InterlockedCompareExchange(&timer->state, TIMER_STOPPED, TIMER_IDLE) != TIMER_IDLE)
		YieldProcessor();
	KeFlushQueuedDpcs();
	supdrv_os_free(timer);
}
