/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Physical pages as the files of the Linux glue see them. */
#ifndef SUPDRV_PAGES_H
#define SUPDRV_PAGES_H

#include <linux/mm_types.h>

struct supdrv_pages {
	u32 count;
	struct page *page[];
};

#endif
