// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Time, and the timer of the core. */
#include <linux/hrtimer.h>
#include <linux/ktime.h>
#include <linux/slab.h>
#include <asm/msr.h>

#include "supdrv_glue.h"
#include "supdrv_status.h"

struct supdrv_timer {
	struct hrtimer timer;
	u64 interval_ns;
	supdrv_tick *tick;
	void *argument;
};

void supdrv_os_time_read(struct supdrv_time *time)
{
	time->ns = ktime_get_ns();
	time->tsc = rdtsc_ordered();
}

static enum hrtimer_restart timer_expired(struct hrtimer *expired)
{
	struct supdrv_timer *timer = container_of(expired, struct supdrv_timer, timer);

	timer->tick(timer->argument);
	hrtimer_forward_now(expired, ns_to_ktime(timer->interval_ns));
	return HRTIMER_RESTART;
}

int32_t supdrv_os_timer_start(uint32_t interval_ns, supdrv_tick *tick, void *argument,
			      struct supdrv_timer **timer)
{
	struct supdrv_timer *made = kzalloc(sizeof(*made), GFP_KERNEL);

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->interval_ns = interval_ns;
	made->tick = tick;
	made->argument = argument;
	hrtimer_init(&made->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	made->timer.function = timer_expired;
	hrtimer_start(&made->timer, ns_to_ktime(interval_ns), HRTIMER_MODE_REL);
	*timer = made;
	return SUPDRV_OK;
}

void supdrv_os_timer_stop(struct supdrv_timer *timer)
{
	hrtimer_cancel(&timer->timer);
	kfree(timer);
}
