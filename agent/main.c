/* SPDX-License-Identifier: MIT */
/* The agent: serves frames from one stream, relays those meant for clients. See
 * docs/agent-protocol.md. */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

/* A frame whose rest does not come for so long is given up, so that a peer that died inside one
 * blocks nobody. */
#define STALL_MS 5000u

/* Most frames fit. */
#define INBOX_OWN (256u * 1024)
#define REPLY_OWN (1024u * 1024)

static void agent_write(struct agent *a, const void *from, size_t n)
{
	if (os_stream_write(&a->stream, from, n) != 0 && !a->stream.port)
		a->leaving = true;
}

void agent_answer(struct agent *a, uint32_t id, uint16_t client, uint16_t op,
		  struct outcome outcome, const void *extra, size_t extra_length)
{
	uint8_t bytes[FRAME_HEADER + REPLY_HEADER + 16];

	if (extra_length > 16)
		extra_length = 16;
	frame_header(bytes, (uint32_t)(REPLY_HEADER + extra_length), id, client,
		     (uint16_t)(op | REPLY_BIT));
	store_u32(bytes + FRAME_HEADER, outcome.status);
	store_u32(bytes + FRAME_HEADER + 4, outcome.os_error);
	if (extra_length)
		memcpy(bytes + FRAME_HEADER + REPLY_HEADER, extra, extra_length);
	agent_write(a, bytes, FRAME_HEADER + REPLY_HEADER + extra_length);
}

static void agent_frame(struct agent *a, const struct frame *f)
{
	struct reply *r = &a->reply;

	if (!a->is_client && f->client != 0) {
		clients_relay(a, f);
		return;
	}
	reply_open(r);
	a->frame_id = f->id;
	if (op_run(a, f->op, f->payload, f->length, r, false) == ST_LATER)
		return;
	frame_header(r->bytes.data, (uint32_t)(r->length - FRAME_HEADER), f->id, f->client,
		     (uint16_t)(f->op | REPLY_BIT));
	agent_write(a, r->bytes.data, r->length);
}

static void agent_frames(struct agent *a)
{
	static const uint32_t problem[] = {
	    [FRAME_GARBAGE] = ST_BAD_FRAME,
	    [FRAME_TOO_LONG] = ST_TOO_LONG,
	    [FRAME_NO_MEMORY] = ST_NO_MEMORY,
	};

	while (!a->leaving) {
		struct frame f;
		enum frame_state state = inbox_next(&a->inbox, &f);

		if (state == FRAME_NONE)
			return;
		if (state == FRAME_READY)
			agent_frame(a, &f);
		else
			agent_answer(a, f.id, f.client, f.op, refused(problem[state]), NULL, 0);
	}
}

static void agent_read(struct agent *a)
{
	size_t room, got = 0;
	uint8_t *to = inbox_space(&a->inbox, &room);

	switch (os_stream_read(&a->stream, to, room, &got)) {
	case OS_READ_DATA:
		a->inbox.end += got;
		agent_frames(a);
		break;
	case OS_READ_NONE:
		break;
	case OS_READ_GAP:
		inbox_clear(&a->inbox);
		break;
	case OS_READ_END:
		a->leaving = true;
		break;
	}
}

static void agent_stalled(struct agent *a)
{
	inbox_give_up(&a->inbox);
	agent_answer(a, 0, 0, 0, refused(ST_BAD_FRAME), NULL, 0);
	agent_frames(a);
}

int agent_serve(struct agent *a)
{
	uint64_t since = 0; /* when the partial frame last grew; 0: there is none */

	if (a->first_op)
		agent_answer(a, a->first_id, 0, a->first_op, done(), NULL, 0);
	while (!a->leaving) {
		struct os_stream *streams[1 + CLIENTS_MAX] = {&a->stream};
		unsigned count = 1;
		int timeout = -1;

		if (since)
			timeout = (int)STALL_MS;
		if (!a->is_client) {
			count += clients_streams(streams + 1);
			if (clients_any_dying())
				timeout = 1;
		}
		os_wait(streams, count, timeout);
		if (a->stream.readable) {
			agent_read(a);
			since = 0;
		} else if (since && os_clock_ns() - since >= STALL_MS * UINT64_C(1000000)) {
			agent_stalled(a);
			since = 0;
		}
		if (!since && !a->is_client && inbox_is_partial(&a->inbox))
			since = os_clock_ns();
		if (!a->is_client)
			clients_serve(a);
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct agent agent;
	/* No variables: they would lie where tests look for addresses that nobody has. */
	uint8_t *inbox_own = malloc(INBOX_OWN), *reply_own = malloc(REPLY_OWN);
	uint32_t error;

	os_start();
	if (!inbox_own || !reply_own)
		return 1;
	inbox_begin(&agent.inbox, inbox_own, INBOX_OWN);
	buffer_begin(&agent.reply.bytes, reply_own, REPLY_OWN);
	if (argc == 1) {
		error = os_stream_standard(&agent.stream);
	} else if (argc == 3 && strcmp(argv[1], "--port") == 0) {
		error = os_stream_port(&agent.stream, argv[2]);
	} else if (argc == 3 && strcmp(argv[1], "--client") == 0) {
		agent.is_client = true;
		agent.first_op = OP_CLIENT_READY;
		error = os_stream_client(&agent.stream, argv[2]);
	} else if (exec_resume(&agent, argc, argv)) {
		error = 0;
	} else {
		return 2;
	}
	if (error)
		return 1;
	return agent_serve(&agent);
}
