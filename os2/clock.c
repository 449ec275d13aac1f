// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Time, and the timers of the core. */
#include "devhelp.h"
#include "heap.h"
#include "supdrv_glue.h"
#include "supdrv_status.h"

struct supdrv_timer {
	struct supdrv_timer *next;
	supdrv_tick *tick;
	void *argument;
	uint32_t ticks; /* of the system's clock, in an interval */
	uint32_t left;
};

static struct supdrv_timer *timers;

static uint64_t tsc_read(void)
{
	uint64_t value;

	__asm__ volatile("rdtsc" : "=A"(value));
	return value;
}

void supdrv_os_time_read(struct supdrv_time *time)
{
	time->ns = dh_nanoseconds();
	time->tsc = tsc_read();
}

static void clock_ticked(void)
{
	struct supdrv_timer *timer;

	for (timer = timers; timer; timer = timer->next) {
		if (--timer->left)
			continue;
		timer->left = timer->ticks;
		timer->tick(timer->argument);
	}
}

static uint32_t interrupts_off(void)
{
	uint32_t flags;

	__asm__ volatile("pushf\n\tpop %0\n\tcli" : "=r"(flags)::"memory");
	return flags;
}

static void interrupts_restore(uint32_t flags)
{
	__asm__ volatile("push %0\n\tpopf" ::"r"(flags) : "memory", "cc");
}

static void timer_link(struct supdrv_timer *timer)
{
	uint32_t flags = interrupts_off();

	timer->next = timers;
	timers = timer;
	interrupts_restore(flags);
}

static void timer_unlink(const struct supdrv_timer *timer)
{
	struct supdrv_timer **link = &timers;
	uint32_t flags = interrupts_off();

	while (*link != timer)
		link = &(*link)->next;
	*link = timer->next;
	interrupts_restore(flags);
}

/* The clock's next tick is nearer than an interval, so that it is not counted. */
int32_t supdrv_os_timer_start(uint32_t interval_ns, supdrv_tick *tick, void *argument,
			      struct supdrv_timer **timer)
{
	struct supdrv_timer *made = heap_get(sizeof(*made));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->tick = tick;
	made->argument = argument;
	made->ticks = interval_ns > DH_TICK_NS ? interval_ns / DH_TICK_NS : 1;
	made->left = made->ticks + 1;
	if (!timers && dh_ticks_start(clock_ticked)) {
		heap_release(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	timer_link(made);
	*timer = made;
	return SUPDRV_OK;
}

void supdrv_os_timer_stop(struct supdrv_timer *timer)
{
	timer_unlink(timer);
	if (!timers)
		dh_ticks_stop(clock_ticked);
	heap_release(timer);
}
