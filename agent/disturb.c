/* SPDX-License-Identifier: MIT */
/* The timing loop, while another thread takes memory away and puts new memory in its place. */
#include "agent.h"

#include <stdatomic.h>

struct disturbance {
	uint64_t address;
	uint64_t size;
	uint64_t rounds;
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

	return os_thread_start(disturb, d, &d->thread);
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
	struct companion companion = {disturbance_start, disturbance_end, &d};
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
