/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Physical pages as the files of the Windows glue see them. */
#ifndef SUPDRV_PAGES_H
#define SUPDRV_PAGES_H

#include <wdm.h>

struct supdrv_pages {
	PMDL mdl;
	void *kernel; /* of contiguous pages, else NULL */
};

/* What a mapping's priority may carry from Windows 8 on. */
#define SUPDRV_MAP_NO_WRITE   0x80000000u
#define SUPDRV_MAP_NO_EXECUTE 0x40000000u

#endif
