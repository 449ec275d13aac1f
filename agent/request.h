/* SPDX-License-Identifier: MIT */
/* One call of the driver, prepared so that it can be issued many times. */
#ifndef AGENT_REQUEST_H
#define AGENT_REQUEST_H

#include "agent.h"

/* Memory between two inaccessible pages; data is put so that it ends exactly at `end`, the second
 * of them. */
struct guarded {
	uint64_t base;
	uint64_t total;
	uint8_t *end;
	size_t capacity;
};

bool guarded_make(struct guarded *g, size_t capacity);
void guarded_drop(struct guarded *g);

/* Reused from call to call; one for each thread. */
struct scratch {
	struct guarded in;
	struct guarded out;
	struct guarded block;
};

bool scratch_make(struct scratch *s);
void scratch_drop(struct scratch *s);

struct call {
	struct os_request os;
	void (*issue)(struct os_request *os);
	uint32_t flags;
	const uint8_t *in_data;
	uint32_t in_length;
	uint32_t out_length;
	uint8_t fill;
	uint8_t *in; /* the agent's own buffers, NULL where a pointer of the caller is used */
	uint8_t *out;
	struct guarded big_in; /* made for this call when scratch is too small */
	struct guarded big_out;
};

/* Reads the payload of OP_REQUEST or OP_IOCTL_RAW and sets the buffers up; returns a status.
 * call_drop() always. */
uint32_t call_prepare(struct call *c, uint16_t op, struct reader *in, struct scratch *s);
/* Puts the in data into the buffer again, for a call whose output overlays it. */
void call_refresh(struct call *c);
void call_drop(struct call *c);

#endif
