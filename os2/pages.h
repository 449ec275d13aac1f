/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Physical pages as the files of the OS/2 glue see them. */
#ifndef PAGES_H
#define PAGES_H

#include "devhelp.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE  (1u << PAGE_SHIFT)

struct supdrv_pages {
	uint32_t count;
	void *kernel;
	uint32_t physical[];
};

/* The address of each page of some runs. */
void supdrv_runs_spread(const struct dh_run *runs, uint32_t run_count, uint32_t *physical,
			uint32_t count);

#endif
