/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the files of the OS/2 glue share. */
#ifndef SUPDRV_OS2_H
#define SUPDRV_OS2_H

#include "os2_driver.h"
#include "supdrv_core.h"
#include "supdrv_status.h"

/* The device of this load, from INIT to DEINSTALL. */
extern struct supdrv_device *supdrv_os2_device;

/* Request packets for either device; the result is the packet's status word. */
uint16_t supdrv_request(struct os2_request *packet);
uint16_t supdrv_counters_request(struct os2_request *packet);

/*
 * Opens of the device: one session for each open file, which is its opener's alone. A close waits
 * for the requests that are in the session.
 */
struct supdrv_file;

uint16_t supdrv_file_open(uint16_t number);
/* False: there is none such. */
bool supdrv_file_close(uint16_t number);
/* Keeps the session for a request. NULL: it is none of the calling process's. */
struct supdrv_file *supdrv_file_enter(uint16_t number);
void supdrv_file_leave(struct supdrv_file *file);
struct supdrv_session *supdrv_file_session(const struct supdrv_file *file);
bool supdrv_files_any(void);

/* A request of the interface. */
uint16_t supdrv_ioctl(struct os2_ioctl_request *packet);

/* The status word of a code of the driver, for clients that have no room for the code itself. */
uint16_t supdrv_status_word(int32_t status);

/* Memory of the calling process, as far as that may read or write it; never used in place. */
bool supdrv_client_read(void *to, uintptr_t from, size_t size);
bool supdrv_client_write(uintptr_t to, const void *from, size_t size);

/* A line for the console, without a line feed. */
void supdrv_log(const char *format, ...) __attribute__((format(printf, 1, 2)));

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
