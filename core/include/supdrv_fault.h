/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * A request on which a driver that was built for it fails on purpose, so that a test framework can
 * prove that it notices. It is no part of the interface: other builds answer it like any unknown
 * number.
 */
#ifndef SUPDRV_FAULT_H
#define SUPDRV_FAULT_H

#include "supdrv_ioc.h"

#define SUP_IOCTL_TEST_FAULT SUP_CTL_CODE(126)

/* Values of uFault. Any other one gives INVALID_PARAM. */
enum {
	SUPTESTFAULT_NONE,
	SUPTESTFAULT_PANIC,
	SUPTESTFAULT_OOPS,
	SUPTESTFAULT_HANG,
	SUPTESTFAULT_SPIN,
	SUPTESTFAULT_WARN,
	SUPTESTFAULT_OOPS_IN_INTERRUPT,
	SUPTESTFAULT_LATE,
	SUPTESTFAULT_WRONG_ANSWER,
	SUPTESTFAULT_BUG_WITH_LOCK,
	SUPTESTFAULT_REBOOT,
	SUPTESTFAULT_USE_AFTER_FREE,
	SUPTESTFAULT_LEAK,
	SUPTESTFAULT_LOCK_INVERSION
};

typedef struct SUPTESTFAULT_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	uint32_t uFault;
} SUPTESTFAULT_IN, *PSUPTESTFAULT_IN;

/* uAnswer is uFault, except after SUPTESTFAULT_WRONG_ANSWER. */
typedef struct SUPTESTFAULT_OUT {
	uint32_t uAnswer;
} SUPTESTFAULT_OUT, *PSUPTESTFAULT_OUT;

#endif
