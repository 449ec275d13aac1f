/* SPDX-License-Identifier: MIT */
/* Clients of a driver that are killed in the middle of requests, one after the other. */
#include "request.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define STEPS_MAX   16u
#define CARRIES_MAX 4u
/* Between two looks at the victim: each costs it the processor, and an emulator its table of pages.
 */
#define LOOK_US 500u

/* Bytes of an earlier step's output that become bytes of this one's input. */
struct carry {
	uint32_t source, from, to, length;
};

struct step {
	struct call call;
	struct scratch scratch;
	uint32_t carries;
	struct carry carry[CARRIES_MAX];
};

/* What the victim tells; it outlives the victim. */
struct account {
	_Atomic uint32_t begun, ended, failures;
};

struct kills {
	char path[PATH_SIZE];
	uint32_t count, spread_us;
	uint32_t steps, repeat_from;
	struct step step[STEPS_MAX];
	struct account *account;
};

static void step_run(struct kills *k, struct step *s, os_handle device)
{
	for (uint32_t i = 0; i < s->carries; i++) {
		const struct carry *c = &s->carry[i];

		memcpy(s->call.in + c->to, k->step[c->source].call.out + c->from, c->length);
	}
	s->call.os.handle = device;
	s->call.issue(&s->call.os);
}

/* For ever; ends by itself only if there is no device. */
static void victim_run(struct kills *k)
{
	os_handle device;

	if (os_open(k->path, OPEN_READ | OPEN_WRITE, &device) != 0)
		exit(1);
	for (uint32_t i = 0;; i = i + 1 < k->steps ? i + 1 : k->repeat_from) {
		bool counted = i >= k->repeat_from;

		k->account->begun += counted;
		step_run(k, &k->step[i], device);
		k->account->ended += counted;
		k->account->failures += k->step[i].call.os.error != 0;
	}
}

/* True: it is in the midst of its work. */
static bool victim_began(const struct kills *k, const struct os_process *victim,
			 struct os_exit *how)
{
	while (k->account->begun == 0) {
		if (os_process_ended(victim, how))
			return false;
		os_sleep_us(LOOK_US);
	}
	return true;
}

/* The victim's stream is closed by then: nobody talks to it. */
static void victim_end(const struct kills *k, const struct os_process *victim, uint32_t turn,
		       struct os_exit *how)
{
	uint32_t delay = (uint32_t)((uint64_t)k->spread_us * turn / k->count);

	if (!victim_began(k, victim, how))
		return;
	if (delay)
		os_sleep_us(delay);
	os_process_kill(victim);
	os_process_await(victim, how);
}

static uint32_t kills_run(struct kills *k, struct reply *out)
{
	uint32_t killed = 0, inside = 0, error = 0;
	uint64_t begun = 0, failures = 0;

	for (uint32_t turn = 0; turn < k->count && !error; turn++) {
		struct os_process victim = {0};
		struct os_exit how = {0};
		bool in_child = false;

		*k->account = (struct account){0};
		error = os_process_start("", true, &victim, &in_child);
		if (in_child)
			victim_run(k);
		if (error)
			break;
		os_stream_close(&victim.stream);
		victim_end(k, &victim, turn, &how);
		killed += how.how == EXIT_SIGNAL;
		inside += k->account->begun != k->account->ended;
		begun += k->account->begun;
		failures += k->account->failures;
	}
	put_u32(out, killed);
	put_u32(out, inside);
	put_u64(out, begun);
	put_u64(out, failures);
	return error;
}

static bool carry_fits(const struct kills *k, const struct step *s, const struct carry *c)
{
	const struct call *source = &k->step[c->source].call;

	return source->out && s->call.in && c->from <= source->out_length &&
	       c->length <= source->out_length - c->from && c->to <= s->call.in_length &&
	       c->length <= s->call.in_length - c->to;
}

static uint32_t step_read(struct kills *k, struct reader *in)
{
	struct step *s = &k->step[k->steps];
	uint32_t length, status;
	const uint8_t *payload = get_blob(in, &length);
	struct reader sub = {.at = payload, .left = length};

	s->carries = get_u16(in);
	if (in->bad)
		return ST_BAD_PAYLOAD;
	if (s->carries > CARRIES_MAX)
		return ST_BAD_VALUE;
	k->steps++;
	status = call_prepare(&s->call, OP_REQUEST, &sub, &s->scratch);
	for (uint32_t i = 0; status == ST_OK && i < s->carries; i++) {
		struct carry *c = &s->carry[i];

		c->source = get_u32(in);
		c->from = get_u32(in);
		c->to = get_u32(in);
		c->length = get_u32(in);
		if (in->bad)
			status = ST_BAD_PAYLOAD;
		else if (c->source >= k->steps - 1 || !carry_fits(k, s, c))
			status = ST_BAD_VALUE;
	}
	return status;
}

static uint32_t kills_read(struct kills *k, struct reader *in)
{
	uint32_t status = ST_OK;

	get_string(in, k->path, sizeof(k->path));
	k->count = get_u32(in);
	k->spread_us = get_u32(in);
	k->repeat_from = get_u32(in);
	if (in->bad || in->left == 0)
		return ST_BAD_PAYLOAD;
	while (status == ST_OK && in->left > 0)
		status = k->steps < STEPS_MAX ? step_read(k, in) : ST_BAD_VALUE;
	if (status == ST_OK && (k->count == 0 || k->repeat_from >= k->steps))
		status = ST_BAD_VALUE;
	return status;
}

/* Until so many steps have failed, or whoever wants this process dead kills it. */
static uint32_t life_run(struct kills *k)
{
	os_handle device;
	uint32_t failures = 0;
	uint32_t error = os_open(k->path, OPEN_READ | OPEN_WRITE, &device);

	if (error)
		return error;
	for (uint32_t i = 0; failures < k->count; i = i + 1 < k->steps ? i + 1 : k->repeat_from) {
		step_run(k, &k->step[i], device);
		error = k->step[i].call.os.error;
		failures += error != 0;
	}
	os_close(device);
	return error;
}

static void kills_drop(struct kills *k)
{
	for (uint32_t i = 0; i < k->steps; i++) {
		call_drop(&k->step[i].call);
		scratch_drop(&k->step[i].scratch);
	}
	free(k);
}

struct outcome op_live(struct agent *a, struct reader *in, struct reply *out)
{
	struct kills *k = calloc(1, sizeof(*k));
	uint32_t status, error = 0;

	(void)a;
	(void)out;
	if (!k)
		return refused(ST_NO_MEMORY);
	status = kills_read(k, in);
	if (status == ST_OK)
		error = life_run(k);
	kills_drop(k);
	return status == ST_OK ? os_outcome(error) : refused(status);
}

struct outcome op_kills(struct agent *a, struct reader *in, struct reply *out)
{
	struct kills *k = calloc(1, sizeof(*k));
	uint64_t account = 0;
	uint32_t status, error = 0;

	(void)a;
	if (!k)
		return refused(ST_NO_MEMORY);
	status = kills_read(k, in);
	if (status == ST_OK)
		error = os_map(0, sizeof(*k->account), MEM_READABLE | MEM_WRITABLE, MEM_SHARED,
			       &account);
	k->account = (struct account *)(uintptr_t)account;
	if (status == ST_OK && !error)
		error = kills_run(k, out);
	if (account)
		os_unmap(account, sizeof(*k->account));
	kills_drop(k);
	return status == ST_OK ? os_outcome(error) : refused(status);
}
