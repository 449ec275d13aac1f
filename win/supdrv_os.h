/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the core takes from the headers for Windows drivers. */
#ifndef SUPDRV_OS_H
#define SUPDRV_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <wdm.h>

#define SUPDRV_TYPES_PROVIDED 1

/* A mutex of the kernel leaves the IRQL where it is: the core stops its timer with one held, which
 * is for PASSIVE_LEVEL. */
struct supdrv_lock {
	KMUTEX mutex;
};

#endif
