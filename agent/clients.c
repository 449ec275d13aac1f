/* SPDX-License-Identifier: MIT */
/* Client processes: started, relayed to, killed and reaped by client 0. */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

#define RESET_WAIT_MS 2000u
#define START_WAIT_MS 5000u
#define INBOX_OWN     (64u * 1024)

enum client_state {
	CLIENT_FREE,
	CLIENT_LIVE,
	CLIENT_DYING, /* its stream has ended or it was killed, but it is not reaped yet */
	CLIENT_DEAD,  /* reaped; kept until CLIENT_KILL asks, or the place is needed */
	CLIENT_SPARE, /* for the next start: it has let go of all it had, and nobody knows it */
};

struct client {
	enum client_state state;
	uint16_t id; /* 0 if spare */
	bool plain;  /* a copy of this program that began with nothing */
	struct os_process process;
	struct os_exit exit;
	struct inbox inbox;
	uint8_t *unsent; /* rest of a frame to it */
	size_t unsent_length;
	size_t unsent_at;
	bool busy; /* a frame of the host is not answered yet: */
	uint32_t frame_id;
	uint16_t frame_op;  /* what the client was asked */
	uint16_t answer_op; /* what the host asked, and whom */
	uint16_t answer_client;
};

static struct client clients[CLIENTS_MAX];
static uint8_t *inboxes; /* what the inbox of each client begins with */
static uint16_t client_last_id;

static struct client *client_find(uint16_t id)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].state != CLIENT_FREE && clients[i].id == id)
			return &clients[i];
	}
	return NULL;
}

static struct client *client_place(void)
{
	struct client *dead = NULL;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].state == CLIENT_FREE)
			return &clients[i];
		if (clients[i].state == CLIENT_DEAD)
			dead = &clients[i];
	}
	return dead;
}

static void client_close(struct client *c)
{
	os_stream_close(&c->process.stream);
	inbox_clear(&c->inbox);
	free(c->unsent);
	c->unsent = NULL;
	c->unsent_length = c->unsent_at = 0;
}

static void client_answer_death(struct agent *a, const struct client *c, uint32_t id,
				uint16_t client, uint16_t op)
{
	uint8_t how[5] = {c->exit.how};

	store_u32(how + 1, c->exit.code);
	agent_answer(a, id, client, op, refused(ST_CLIENT_DIED), how, sizeof(how));
}

/* LIVE or DYING to DEAD if the process is gone; answers what it left unanswered. */
static bool client_reap(struct agent *a, struct client *c)
{
	if (!os_process_ended(&c->process, &c->exit))
		return false;
	client_close(c);
	c->state = CLIENT_DEAD;
	if (c->busy) {
		c->busy = false;
		client_answer_death(a, c, c->frame_id, c->answer_client, c->answer_op);
	}
	return true;
}

static void client_kill(struct client *c)
{
	os_process_kill(&c->process);
	c->state = CLIENT_DYING;
}

static void client_flush(struct client *c)
{
	size_t sent = 0;

	if (!c->unsent)
		return;
	if (os_stream_offer(&c->process.stream, c->unsent + c->unsent_at,
			    c->unsent_length - c->unsent_at, OS_NO_HANDLE, &sent) != 0) {
		client_kill(c);
		return;
	}
	c->unsent_at += sent;
	if (c->unsent_at == c->unsent_length) {
		free(c->unsent);
		c->unsent = NULL;
	}
}

/* Starts sending; the rest goes when the client takes it. */
static void client_send(struct client *c, const uint8_t *bytes, size_t n, os_handle pass)
{
	size_t sent = 0;

	if (os_stream_offer(&c->process.stream, bytes, n, pass, &sent) != 0) {
		c->state = CLIENT_DYING; /* reaped, and the frame answered, soon */
		return;
	}
	if (sent == n)
		return;
	c->unsent = malloc(n - sent);
	if (!c->unsent) {
		client_kill(c);
		return;
	}
	memcpy(c->unsent, bytes + sent, n - sent);
	c->unsent_length = n - sent;
	c->unsent_at = 0;
}

static void client_expect(struct client *c, uint32_t id, uint16_t op, uint16_t answer_client,
			  uint16_t answer_op)
{
	c->busy = true;
	c->frame_id = id;
	c->frame_op = op;
	c->answer_client = answer_client;
	c->answer_op = answer_op;
}

void clients_relay(struct agent *a, const struct frame *f)
{
	struct client *c = client_find(f->client);

	if (!c) {
		agent_answer(a, f->id, f->client, f->op, refused(ST_NO_CLIENT), NULL, 0);
	} else if (c->state == CLIENT_DEAD) {
		client_answer_death(a, c, f->id, f->client, f->op);
	} else if (c->busy) {
		agent_answer(a, f->id, f->client, f->op, refused(ST_CLIENT_BUSY), NULL, 0);
	} else if (f->op == OP_HANDLE_RECV) {
		agent_answer(a, f->id, f->client, f->op, refused(ST_BAD_OP), NULL, 0);
	} else {
		client_expect(c, f->id, f->op, f->client, f->op);
		if (c->state == CLIENT_LIVE)
			client_send(c, f->raw, FRAME_HEADER + f->length, OS_NO_HANDLE);
	}
}

struct outcome clients_pass_handle(struct agent *a, uint16_t id, os_handle handle)
{
	struct client *c = client_find(id);
	uint8_t bytes[FRAME_HEADER + 8];
	uint64_t token;
	uint32_t error;

	if (!c)
		return refused(ST_NO_CLIENT);
	if (c->state != CLIENT_LIVE)
		return refused(ST_CLIENT_DIED);
	if (c->busy)
		return refused(ST_CLIENT_BUSY);
	error = os_handle_export(&c->process, handle, &token);
	if (error)
		return os_outcome(error);
	frame_header(bytes, 8, a->frame_id, id, OP_HANDLE_RECV);
	store_u32(bytes + FRAME_HEADER, (uint32_t)token);
	store_u32(bytes + FRAME_HEADER + 4, (uint32_t)(token >> 32));
	client_expect(c, a->frame_id, OP_HANDLE_RECV, 0, OP_HANDLE_SEND);
	client_send(c, bytes, sizeof(bytes), handle);
	return refused(ST_LATER);
}

struct outcome clients_take_handle(uint16_t id, uint64_t value, os_handle *handle)
{
	const struct client *c = client_find(id);
	uint32_t error;

	if (!c)
		return refused(ST_NO_CLIENT);
	if (c->state != CLIENT_LIVE)
		return refused(ST_CLIENT_DIED);
	error = os_handle_take(&c->process, value, handle);
	return error ? os_outcome(error) : done();
}

/* Passes the one answer on that is due; anything else means that the client has lost its mind. */
static void client_frames(struct agent *a, struct client *c)
{
	struct frame f;
	enum frame_state state;

	while ((state = inbox_next(&c->inbox, &f)) != FRAME_NONE) {
		if (state != FRAME_READY || !c->busy || f.id != c->frame_id ||
		    f.op != (uint16_t)(c->frame_op | REPLY_BIT)) {
			client_kill(c);
			return;
		}
		frame_header(f.raw, f.length, f.id, c->answer_client,
			     (uint16_t)(c->answer_op | REPLY_BIT));
		c->busy = false;
		if (os_stream_write(&a->stream, f.raw, FRAME_HEADER + f.length) != 0 &&
		    !a->stream.port)
			a->leaving = true;
	}
}

static void client_read(struct agent *a, struct client *c)
{
	size_t room, got = 0;
	uint8_t *to = inbox_space(&c->inbox, &room);
	enum os_read state;

	state = os_stream_read(&c->process.stream, to, room, &got);
	if (state == OS_READ_DATA) {
		c->inbox.end += got;
		client_frames(a, c);
	} else if (state != OS_READ_NONE) {
		client_kill(c);
	}
}

unsigned clients_streams(struct os_stream **list)
{
	unsigned count = 0;

	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		clients[i].process.stream.readable = false;
		clients[i].process.stream.writable = false;
		if (clients[i].state != CLIENT_LIVE)
			continue;
		clients[i].process.stream.want_write = clients[i].unsent != NULL;
		list[count++] = &clients[i].process.stream;
	}
	return count;
}

bool clients_any_dying(void)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].state == CLIENT_DYING)
			return true;
	}
	return false;
}

void clients_serve(struct agent *a)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];

		if (c->state == CLIENT_LIVE && c->process.stream.writable)
			client_flush(c);
		if (c->state == CLIENT_LIVE && c->process.stream.readable)
			client_read(a, c);
		if (c->state == CLIENT_DYING)
			client_reap(a, c);
	}
}

static bool client_await(struct agent *a, struct client *c, uint32_t wait_ms)
{
	uint64_t deadline = os_clock_ns() + wait_ms * UINT64_C(1000000);

	while (!client_reap(a, c)) {
		if (os_clock_ns() >= deadline)
			return false;
		os_sleep_ms(1);
	}
	return true;
}

/* Nobody else is served meanwhile. */
static bool client_await_answer(struct client *c, uint16_t op, uint32_t wait_ms)
{
	uint64_t deadline = os_clock_ns() + wait_ms * UINT64_C(1000000);
	struct os_stream *stream = &c->process.stream;

	while (os_clock_ns() < deadline) {
		struct frame f;
		size_t room, got = 0;
		uint8_t *to = inbox_space(&c->inbox, &room);
		enum frame_state state;

		os_wait(&stream, 1, 100);
		if (!stream->readable)
			continue;
		if (os_stream_read(stream, to, room, &got) == OS_READ_END)
			return false;
		c->inbox.end += got;
		state = inbox_next(&c->inbox, &f);
		if (state != FRAME_NONE)
			return state == FRAME_READY && f.op == (uint16_t)(op | REPLY_BIT);
	}
	return false;
}

/* True: it is a spare one now. */
static bool client_rest(struct client *c)
{
	uint8_t bytes[FRAME_HEADER + 2] = {0};

	if (!os_process_is_dear || !c->plain || c->busy)
		return false;
	frame_header(bytes, 2, 1, 0, OP_RESET);
	client_send(c, bytes, sizeof(bytes), OS_NO_HANDLE);
	if (c->state != CLIENT_LIVE || !client_await_answer(c, OP_RESET, RESET_WAIT_MS))
		return false;
	c->state = CLIENT_SPARE;
	c->id = 0;
	return true;
}

uint32_t clients_reset(struct agent *a, uint16_t spared, uint32_t *stuck)
{
	uint64_t deadline = os_clock_ns() + RESET_WAIT_MS * UINT64_C(1000000);
	uint32_t count = 0;

	*stuck = 0;
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].state != CLIENT_LIVE || clients[i].id == spared)
			continue;
		if (client_rest(&clients[i]))
			count++;
		else
			client_kill(&clients[i]);
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];
		uint64_t now = os_clock_ns();

		if (c->state != CLIENT_DYING && c->state != CLIENT_DEAD)
			continue;
		if (c->state == CLIENT_DYING) {
			uint32_t wait_ms =
			    now < deadline ? (uint32_t)((deadline - now) / 1000000) : 0;

			if (!client_await(a, c, wait_ms)) {
				++*stuck;
				continue;
			}
			count++;
		}
		c->state = CLIENT_FREE;
	}
	return count;
}

/* In a forked client: the sockets of the others and the host's stream are none of its business. */
static void client_become(struct agent *a, const struct os_process *own, bool inherit)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		if (clients[i].state != CLIENT_FREE && clients[i].state != CLIENT_DEAD)
			client_close(&clients[i]);
		clients[i] = (struct client){0};
	}
	os_stream_close(&a->stream);
	a->stream = own->stream;
	a->is_client = true;
	a->first_op = OP_CLIENT_READY;
	inbox_clear(&a->inbox);
	trap_abandon();
	if (!inherit) {
		handles_close_all();
		memory_free_all();
	}
	exit(agent_serve(a));
}

static void client_name(struct client *c)
{
	do
		client_last_id++;
	while (client_last_id == 0 || client_find(client_last_id));
	c->id = client_last_id;
}

/* One that is spare still, or NULL. */
static struct client *client_wake(void)
{
	for (unsigned i = 0; i < CLIENTS_MAX; i++) {
		struct client *c = &clients[i];

		if (c->state != CLIENT_SPARE)
			continue;
		if (!os_process_ended(&c->process, &c->exit)) {
			c->state = CLIENT_LIVE;
			return c;
		}
		client_close(c);
		c->state = CLIENT_FREE;
	}
	return NULL;
}

static struct outcome client_told(const struct client *c, struct reply *out)
{
	put_u16(out, c->id);
	put_u32(out, c->process.pid);
	return done();
}

struct outcome op_client_start(struct agent *a, struct reader *in, struct reply *out)
{
	static char program[PATH_SIZE];
	uint32_t flags = get_u32(in), error;
	struct client *c;
	struct os_process process = {0};
	bool in_child = false;

	get_string(in, program, sizeof(program));
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if ((flags & ~CLIENT_INHERIT) || ((flags & CLIENT_INHERIT) && program[0]))
		return refused(ST_BAD_VALUE);
	c = flags & CLIENT_INHERIT || program[0] ? NULL : client_wake();
	if (c) {
		client_name(c);
		return client_told(c, out);
	}
	c = client_place();
	if (!c)
		return refused(ST_TABLE_FULL);
	/* Before the first fork, so that each copy has it at the same address; and untouched. */
	if (!inboxes && !(inboxes = malloc((size_t)CLIENTS_MAX * INBOX_OWN)))
		return refused(ST_NO_MEMORY);
	error = os_process_start(program, flags & CLIENT_INHERIT, &process, &in_child);
	if (in_child)
		client_become(a, &process, flags & CLIENT_INHERIT);
	if (error)
		return os_outcome(error);
	*c = (struct client){.state = CLIENT_LIVE,
			     .plain = !(flags & CLIENT_INHERIT) && !program[0],
			     .process = process};
	inbox_begin(&c->inbox, inboxes + (size_t)(c - clients) * INBOX_OWN, INBOX_OWN);
	client_name(c);
	/* Until then a fork still holds what it is about to close, and a program may be none of
	 * ours. */
	if (!client_await_answer(c, OP_CLIENT_READY, START_WAIT_MS)) {
		client_kill(c);
		if (client_await(a, c, START_WAIT_MS))
			c->state = CLIENT_FREE;
		return refused(ST_CLIENT_DIED);
	}
	return client_told(c, out);
}

struct outcome op_client_kill(struct agent *a, struct reader *in, struct reply *out)
{
	struct client *c = client_find(get_u16(in));
	uint32_t wait_ms = get_u32(in);

	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!c)
		return refused(ST_NO_CLIENT);
	if (c->state != CLIENT_DEAD) {
		client_kill(c);
		if (!client_await(a, c, wait_ms))
			return refused(ST_CLIENT_STUCK);
	}
	c->state = CLIENT_FREE;
	put_u8(out, c->exit.how);
	put_u32(out, c->exit.code);
	return done();
}
