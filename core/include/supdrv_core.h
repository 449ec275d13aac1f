/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * What an OS's glue calls in the core.
 *
 * A slow request takes five steps:
 *   1. The glue fetches number, cbIn and cbOut, at full width, and calls supdrv_call_prepare().
 *   2. It provides call->buffer: call->buffer_size bytes, zero from call->in_size on. No buffer is
 *      needed for size 0.
 *   3. It copies call->in_size bytes from the client into the buffer.
 *   4. supdrv_call_run() works on the buffer; the output replaces the input from offset 0.
 *   5. On SUPDRV_OK the glue copies exactly call->returned bytes to the client. If that fails, it
 *      calls supdrv_call_undo().
 * A step that fails ends the request with nothing copied out.
 *
 * All functions may sleep. Those on one session may run at the same time in several threads, except
 * supdrv_session_close(), which must be the last.
 */
#ifndef SUPDRV_CORE_H
#define SUPDRV_CORE_H

#include "supdrv_os.h"
#include "supdrv_request.h"
#include "supdrv_status.h"

struct supdrv_device;
struct supdrv_session;

/* What is decided when the driver is loaded. */
struct supdrv_config {
	/* Further requests, for test builds and unit tests, or NULL. They must outlive the device.
	 */
	const struct supdrv_request *extra;
	uint32_t extra_count;
	/* Images that clients load run in the kernel. Otherwise they are data. */
	bool ring0_images;
};

/* Load and unload. All sessions must be closed before the device is destroyed. */
int32_t supdrv_device_create(const struct supdrv_config *config, struct supdrv_device **device);
void supdrv_device_destroy(struct supdrv_device *device);

/* One session for each open. os is the glue's own and is handed back by supdrv_session_os(). */
int32_t supdrv_session_open(struct supdrv_device *device, void *os,
			    struct supdrv_session **session);
void supdrv_session_close(struct supdrv_session *session);
void *supdrv_session_os(const struct supdrv_session *session);

/* Fills call, or says which error ends the request before anything was allocated or copied. */
int32_t supdrv_call_prepare(struct supdrv_session *session, uint32_t number, uint64_t in_size,
			    uint64_t out_size, struct supdrv_call *call);
int32_t supdrv_call_run(struct supdrv_session *session, struct supdrv_call *call);
void supdrv_call_undo(struct supdrv_session *session, struct supdrv_call *call);

/*
 * Fast requests have no argument and no buffer. False: number is not one of them, or this ABI has
 * none. True: *result is what the client is to see, negative for an error.
 */
bool supdrv_fast_run(struct supdrv_session *session, uint32_t number, int32_t *result);

/* Enough for supdrv_counters_format(). */
#define SUPDRV_COUNTERS_TEXT_SIZE 512

/* Writes a line "name value" for each counter and a NUL. Returns the length without the NUL. */
size_t supdrv_counters_format(struct supdrv_device *device, char *text, size_t size);

#endif
