// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Time, and the timer of the core. */
#include "supdrv_freebsd.h"
#include "supdrv_glue.h"

#include <sys/callout.h>
#include <sys/time.h>

#include <machine/cpufunc.h>

#define NS_PER_S	1000000000u
#define SBT_2_32_PER_NS (UINT64_MAX / NS_PER_S) /* of the clock's units, times 2^32 */

struct supdrv_timer {
	struct callout callout;
	sbintime_t interval;
	sbintime_t next;
	supdrv_tick *tick;
	void *argument;
};

void supdrv_os_time_read(struct supdrv_time *time)
{
	struct timespec now;

	nanouptime(&now);
	time->ns = (uint64_t)now.tv_sec * NS_PER_S + (uint32_t)now.tv_nsec;
	time->tsc = rdtsc();
}

static void timer_expired(void *argument);

static void timer_arm(struct supdrv_timer *timer)
{
	callout_reset_sbt(&timer->callout, timer->next, 0, timer_expired, timer, C_ABSOLUTE);
}

static void timer_expired(void *argument)
{
	struct supdrv_timer *timer = argument;
	sbintime_t now = sbinuptime();

	timer->tick(timer->argument);
	timer->next += timer->interval;
	if (timer->next <= now)
		timer->next = now + timer->interval;
	timer_arm(timer);
}

/* Without a 64-bit division, which the kernel has no function for on x86. */
static sbintime_t interval_of(uint32_t ns)
{
	return SBT_1S * (ns / NS_PER_S) + (ns % NS_PER_S * SBT_2_32_PER_NS >> 32);
}

int32_t supdrv_os_timer_start(uint32_t interval_ns, supdrv_tick *tick, void *argument,
			      struct supdrv_timer **timer)
{
	struct supdrv_timer *made = supdrv_memory_alloc(sizeof(*made));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->interval = interval_of(interval_ns);
	made->next = sbinuptime() + made->interval;
	made->tick = tick;
	made->argument = argument;
	callout_init(&made->callout, 1);
	timer_arm(made);
	*timer = made;
	return SUPDRV_OK;
}

void supdrv_os_timer_stop(struct supdrv_timer *timer)
{
	callout_drain(&timer->callout);
	supdrv_os_free(timer);
}
