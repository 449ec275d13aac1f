/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the core takes from a hosted C library, for unit tests. */
#ifndef SUPDRV_OS_H
#define SUPDRV_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define SUPDRV_TYPES_PROVIDED 1

struct supdrv_lock {
	uint32_t state;
};

#endif
