// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Time stands still, and timers tick, as tests say. */
#include "host.h"

struct supdrv_timer {
	supdrv_tick *tick;
	void *argument;
};

struct supdrv_time host_time;
long host_timers_live;

static struct supdrv_timer *last_timer;

void supdrv_os_time_read(struct supdrv_time *time)
{
	*time = host_time;
}

int32_t supdrv_os_timer_start(uint32_t interval_ns, supdrv_tick *tick, void *argument,
			      struct supdrv_timer **timer)
{
	struct supdrv_timer *made = supdrv_os_alloc(sizeof(*made));

	CHECK(interval_ns);
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	*made = (struct supdrv_timer){tick, argument};
	host_timers_live++;
	last_timer = made;
	*timer = made;
	return SUPDRV_OK;
}

void supdrv_os_timer_stop(struct supdrv_timer *timer)
{
	if (timer == last_timer)
		last_timer = NULL;
	host_timers_live--;
	supdrv_os_free(timer);
}

void host_timer_tick(void)
{
	CHECK(last_timer);
	last_timer->tick(last_timer->argument);
}
