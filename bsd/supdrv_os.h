/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the core takes from FreeBSD's headers. */
#ifndef SUPDRV_OS_H
#define SUPDRV_OS_H

#include <sys/param.h>
#include <sys/systm.h>
#include <sys/libkern.h>
#include <sys/lock.h>
#include <sys/stddef.h>
#include <sys/stdint.h>
#include <sys/sx.h>

/* A priority of the kernel's, and a type of the interface's. */
#undef PVM

#define SUPDRV_TYPES_PROVIDED 1

struct supdrv_lock {
	struct sx sx;
};

#endif
