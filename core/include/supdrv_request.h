/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A row of the request table, and the state of one request on its way through the driver. */
#ifndef SUPDRV_REQUEST_H
#define SUPDRV_REQUEST_H

#include "supdrv_os.h"

struct supdrv_session;
struct supdrv_call;

/* Nothing longer is accepted in either direction: room for the largest image and its header. */
#define SUPDRV_TRANSPORT_MAX (16u * 1024 * 1024 + 64 * 1024)

/* Runs a request whose sizes and cookies are right. */
typedef int32_t supdrv_handler(struct supdrv_session *session, struct supdrv_call *call);

/*
 * Takes back what a successful handler made, when its output cannot reach the client. key names the
 * object; it must stay safe to look up after another thread has freed that object.
 */
typedef void supdrv_undo(struct supdrv_session *session, uint64_t key);

#define SUPDRV_REQUEST_NO_COOKIES 1u

/* Sizes in bytes. An exact size has min == max. in_min covers the cookies where they are checked.
 */
struct supdrv_request {
	uint32_t number;
	uint32_t flags;
	uint32_t in_min;
	uint32_t in_max;
	uint32_t out_min;
	uint32_t out_max;
	uint32_t out_most; /* the handler never returns more, however long the client's buffer is */
	supdrv_handler *handle;
};

struct supdrv_call {
	const struct supdrv_request *request;
	void *buffer;
	uint32_t buffer_size;
	uint32_t in_size;
	uint32_t out_size; /* the client's, cut to what the request can return */
	uint32_t returned;
	supdrv_undo *undo;
	uint64_t undo_key;
};

/*
 * For handlers: the output of size bytes, zeroed. It lies over the input, which has to be read
 * before. size must not be above call->out_size.
 */
void *supdrv_call_output(struct supdrv_call *call, uint32_t size);

#endif
