/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Physical pages as the files of the FreeBSD glue see them. */
#ifndef SUPDRV_PAGES_H
#define SUPDRV_PAGES_H

#include "supdrv_os.h"

#include <vm/vm.h>

struct supdrv_pages {
	vm_object_t object; /* has the pages, wired, until they are revoked; then its size is 0 */
	uint32_t count;
	vm_offset_t kernel; /* 0: the kernel does not see them */
	vm_page_t page[];
};

/* Takes the pages out of the object: who still maps it faults. A second time does nothing. */
void supdrv_pages_revoke(struct supdrv_pages *pages);

#endif
