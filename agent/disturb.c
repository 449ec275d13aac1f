/* SPDX-License-Identifier: MIT */
/* The timing loop, while another thread takes away what its calls work with. */
#include "agent.h"

struct disturbance {
	uint64_t address;
	uint64_t size;
	_Atomic uint64_t rounds;
	os_thread *thread;
	atomic_bool stop;
};

/*
 * Whoever has mapped it. The agent's own memory is never there: its owner has mapped the range when
 * this starts, and until it ends the agent maps nothing.
 */
static void disturb(void *arg)
{
	struct disturbance *d = arg;
	uint64_t at;

	while (!atomic_load(&d->stop)) {
		os_unmap(d->address, d->size);
		os_map(d->address, d->size, MEM_READABLE | MEM_WRITABLE, MEM_FIXED, &at);
		d->rounds++;
	}
	os_unmap(d->address, d->size);
}

static uint32_t disturbance_start(void *arg)
{
	struct disturbance *d = arg;

	uint32_t error = os_thread_start(disturb, d, &d->thread);

	/* Nothing is disturbed by a thread that has not begun when the loop is over. */
	while (!error && atomic_load(&d->rounds) == 0)
		os_sleep_us(100);
	return error;
}

static void disturbance_end(void *arg)
{
	struct disturbance *d = arg;

	atomic_store(&d->stop, true);
	os_thread_join(d->thread);
}

struct outcome op_disturb(struct agent *a, struct reader *in, struct reply *out)
{
	struct disturbance d = {.address = get_u64(in), .size = get_u64(in)};
	struct companion companion = {disturbance_start, disturbance_end, &d, false, NULL};
	struct outcome outcome;

	(void)a;
	if (!address_fits(d.address) || !address_fits(d.size))
		return refused(ST_BAD_VALUE);
	if (!memory_forget(d.address, d.size))
		return refused(ST_NO_MEMORY);
	outcome = loop_with(&companion, in, out);
	put_u64(out, d.rounds);
	return outcome;
}

struct closing {
	os_handle handle;
	uint32_t number;
	uint32_t after_us;
	atomic_bool closed;
	os_thread *thread;
};

static void close_late(void *arg)
{
	struct closing *c = arg;

	os_sleep_us(c->after_us);
	os_close(c->handle);
	handle_forget(c->number);
	atomic_store(&c->closed, true);
}

static uint32_t closing_start(void *arg)
{
	struct closing *c = arg;

	return os_thread_start(close_late, c, &c->thread);
}

static void closing_end(void *arg)
{
	os_thread_join(((struct closing *)arg)->thread);
}

struct outcome op_close_during(struct agent *a, struct reader *in, struct reply *out)
{
	struct closing c = {.number = get_u32(in), .after_us = get_u32(in)};
	struct companion companion = {closing_start, closing_end, &c, true, &c.closed};

	(void)a;
	if (in->bad)
		return refused(ST_BAD_PAYLOAD);
	c.handle = handle_get(c.number);
	if (c.handle == OS_NO_HANDLE)
		return refused(ST_NO_HANDLE);
	return loop_with(&companion, in, out);
}
