/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the Linux glue share. */
#ifndef SUPDRV_LINUX_H
#define SUPDRV_LINUX_H

#include "supdrv_core.h"

/* The device of this load, from before the node appears until after it is gone. */
extern struct supdrv_device *supdrv_linux_device;

int supdrv_file_register(void);
void supdrv_file_unregister(void);

/* To be called when no session is open any more. */
void supdrv_mapping_mount_drop(void);

void supdrv_debugfs_create(void);
void supdrv_debugfs_remove(void);

/* 0 or a negative errno for a SUPDRV_ code. */
int supdrv_errno_from_status(int32_t status);
/* What the ioctl call returns for a fast request's result. */
long supdrv_errno_from_fast(int32_t result);

#ifdef SUPDRV_FAULTS
extern const struct supdrv_request supdrv_fault_request;
/* Fails if a request has asked for that. */
void supdrv_fault_on_unload(void);
#else
static inline void supdrv_fault_on_unload(void)
{
}
#endif

#endif
