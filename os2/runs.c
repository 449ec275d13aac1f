// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "pages.h"

static uint32_t run_spread(const struct dh_run *run, uint32_t *physical, uint32_t room)
{
	const uint32_t begin = run->physical & ~(PAGE_SIZE - 1);
	const uint32_t end = run->physical + run->size;
	uint32_t done = 0;

	for (; done < room && begin + (done << PAGE_SHIFT) < end; done++)
		physical[done] = begin + (done << PAGE_SHIFT);
	return done;
}

void supdrv_runs_spread(const struct dh_run *runs, uint32_t run_count, uint32_t *physical,
			uint32_t count)
{
	uint32_t done = 0, i;

	for (i = 0; i < run_count; i++)
		done += run_spread(&runs[i], physical + done, count - done);
}
