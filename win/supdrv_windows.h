/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the Windows glue share. */
#ifndef SUPDRV_WINDOWS_H
#define SUPDRV_WINDOWS_H

#include "supdrv_core.h"

#define SUPDRV_POOL_TAG 0x76727553u /* "Surv" in dumps */

/* The device of this load, from before the first open until after the last close. */
extern struct supdrv_device *supdrv_windows_device;

/* The NTSTATUS of a SUPDRV_ code. */
NTSTATUS supdrv_ntstatus(int32_t status);

/* Ends a request, once. Returns status. */
NTSTATUS supdrv_irp_complete(PIRP irp, NTSTATUS status, ULONG_PTR information);

/*
 * Opens of the device. Each has a session, which ends with the last handle, the open file or the
 * process that opened it, whichever is first. While there is one, the driver cannot be unloaded.
 */
struct supdrv_file;

void supdrv_files_init(PDRIVER_OBJECT driver, PDRIVER_UNLOAD unload);
NTSTATUS supdrv_files_watch(void);
void supdrv_files_unwatch(void);

NTSTATUS supdrv_file_open(struct supdrv_file **file);
/* Releases all that the session has, at once or with the last request that is in it. */
void supdrv_file_end(struct supdrv_file *file);
/* When nothing refers to it any more. */
void supdrv_file_close(struct supdrv_file *file);
/* Keeps the session for a request, if it is the calling process's own. */
NTSTATUS supdrv_file_enter(struct supdrv_file *file, struct supdrv_session **session);
void supdrv_file_leave(struct supdrv_file *file);

/* A request to the device. Completes it. */
NTSTATUS supdrv_request_run(struct supdrv_file *file, PIRP irp, PIO_STACK_LOCATION stack);
/* A read of the device with the counters. Completes it. */
NTSTATUS supdrv_counters_read(PIRP irp, PIO_STACK_LOCATION stack);

/* Lets administrators and the system open the device, nobody else. */
NTSTATUS supdrv_device_protect(PDEVICE_OBJECT device);

/* A value of the service; *option stays where there is none. */
NTSTATUS supdrv_option_read(PUNICODE_STRING service, PUNICODE_STRING name, ULONG *option);

/* Before the first image. */
void supdrv_image_memory_init(void);

/* A line for the kernel's log. */
#define SUPDRV_LOG(...) DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "supdrv: " __VA_ARGS__)

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
