/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the core takes from Linux's headers. */
#ifndef SUPDRV_OS_H
#define SUPDRV_OS_H

#include <linux/mutex.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/types.h>

#define SUPDRV_TYPES_PROVIDED 1

struct supdrv_lock {
	struct mutex mutex;
};

#endif
