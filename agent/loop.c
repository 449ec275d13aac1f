/* SPDX-License-Identifier: MIT */
/* The timing loop: one request many times, from one thread or several. */
#include "request.h"

#include <stdlib.h>
#include <string.h>

#define THREADS_MAX   64u
#define SAMPLES_MAX   65536u /* of all threads together */
#define CHECK_EVERY   64u  /* calls between two looks at the time limit when calls are not timed */
#define SLOW_CLOCK_NS 500u /* a clock that costs more than this is read for fewer calls */

/* Further errors are counted as the last one. */
#define ERRORS_MAX 16u
struct tally {
	uint32_t kinds;
	uint32_t error[ERRORS_MAX];
	uint64_t calls[ERRORS_MAX];
};

struct lap {
	struct call call;
	struct scratch scratch;
	os_thread *thread;
	uint64_t count; /* calls to make, 0: until the limit */
	uint64_t limit_ns;
	const atomic_bool *over; /* makes the next call the last one */
	uint32_t stride;
	uint32_t *samples;
	uint32_t sample_room;

	uint64_t calls;
	uint64_t failures;
	struct tally tally; /* of failures, the first one first */
	uint32_t sampled;
	uint64_t began, ended;
};

static void tally_add(struct tally *t, uint32_t error, uint64_t calls)
{
	uint32_t i = 0;

	while (i < t->kinds && t->error[i] != error)
		i++;
	if (i == ERRORS_MAX)
		i--;
	else if (i == t->kinds)
		t->error[t->kinds++] = error;
	t->calls[i] += calls;
}

static void lap_result(struct lap *l)
{
	if (l->call.os.error == 0)
		return;
	l->failures++;
	tally_add(&l->tally, l->call.os.error, 1);
}

static void lap_timed_call(struct lap *l)
{
	uint64_t before = os_clock_ns(), ns;

	l->call.issue(&l->call.os);
	ns = os_clock_ns() - before;
	if (l->sampled < l->sample_room)
		l->samples[l->sampled++] = ns < UINT32_MAX ? (uint32_t)ns : UINT32_MAX;
}

static void lap_run(void *arg)
{
	struct lap *l = arg;
	bool refresh = l->call.flags & REQ_OVERLAY;
	uint32_t until_sample = 0, until_check = CHECK_EVERY;
	bool last = false;

	l->began = os_clock_ns();
	while (!last && (l->count == 0 || l->calls < l->count)) {
		last = l->over && atomic_load(l->over);
		if (refresh)
			call_refresh(&l->call);
		if (until_sample == 0) {
			lap_timed_call(l);
			until_sample = l->stride;
		} else {
			l->call.issue(&l->call.os);
		}
		until_sample--;
		lap_result(l);
		l->calls++;
		if (l->limit_ns && --until_check == 0) {
			if (os_clock_ns() - l->began >= l->limit_ns)
				break;
			until_check = CHECK_EVERY;
		}
	}
	l->ended = os_clock_ns();
}

static uint32_t loop_stride(uint64_t count, uint32_t room)
{
	uint64_t before = os_clock_ns(), cost, stride = 1;

	for (int i = 0; i < 8; i++)
		os_clock_ns();
	cost = (os_clock_ns() - before) / 8;
	if (cost > SLOW_CLOCK_NS)
		stride = 16;
	if (count / stride > room)
		stride = count / room + 1;
	return stride < UINT32_MAX ? (uint32_t)stride : UINT32_MAX;
}

static int sample_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static uint32_t sample_at(const uint32_t *samples, uint32_t n, uint32_t per_cent)
{
	return n ? samples[(uint64_t)(n - 1) * per_cent / 100] : 0;
}

static void loop_report(const struct lap *laps, uint32_t threads, uint32_t *samples,
			bool with_tally, struct reply *out)
{
	struct tally tally = {0};
	uint64_t calls = 0, failures = 0, began = UINT64_MAX, ended = 0;
	uint32_t n = 0;

	for (uint32_t i = 0; i < threads; i++) {
		const struct lap *l = &laps[i];

		calls += l->calls;
		failures += l->failures;
		for (uint32_t kind = 0; kind < l->tally.kinds; kind++)
			tally_add(&tally, l->tally.error[kind], l->tally.calls[kind]);
		if (l->began < began)
			began = l->began;
		if (l->ended > ended)
			ended = l->ended;
		memmove(samples + n, l->samples, l->sampled * sizeof(*samples));
		n += l->sampled;
	}
	qsort(samples, n, sizeof(*samples), sample_order);
	put_u64(out, calls);
	put_u64(out, failures);
	put_u32(out, tally.error[0]);
	put_u64(out, ended - began);
	put_u32(out, laps[0].stride);
	put_u32(out, n);
	put_u32(out, sample_at(samples, n, 0));
	put_u32(out, sample_at(samples, n, 50));
	put_u32(out, sample_at(samples, n, 99));
	put_u32(out, sample_at(samples, n, 100));
	if (!with_tally)
		return;
	put_u32(out, tally.kinds);
	for (uint32_t kind = 0; kind < tally.kinds; kind++) {
		put_u32(out, tally.error[kind]);
		put_u64(out, tally.calls[kind]);
	}
}

/* Runs what is prepared; the first lap runs on the calling thread. */
static uint32_t loop_run(struct lap *laps, uint32_t threads, const struct companion *companion)
{
	uint32_t started = 1, error = 0;
	bool accompanied = false;

	while (started < threads && !error) {
		error = os_thread_start(lap_run, &laps[started], &laps[started].thread);
		if (!error)
			started++;
	}
	if (!error && companion) {
		error = companion->start(companion->arg);
		accompanied = !error;
	}
	if (!error)
		lap_run(&laps[0]);
	if (accompanied)
		companion->end(companion->arg);
	for (uint32_t i = 1; i < started; i++)
		os_thread_join(laps[i].thread);
	return error;
}

struct outcome op_loop(struct agent *a, struct reader *in, struct reply *out)
{
	(void)a;
	return loop_with(NULL, in, out);
}

struct outcome loop_with(const struct companion *companion, struct reader *in, struct reply *out)
{
	uint32_t count = get_u32(in), threads = get_u32(in), limit_ms = get_u32(in),
		 stride = get_u32(in);
	uint16_t op = get_u16(in);
	uint32_t length, room, status = ST_OK, error = 0, ready = 0;
	const uint8_t *payload = get_blob(in, &length);
	struct lap *laps;
	uint32_t *samples;

	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (threads == 0)
		threads = 1;
	if (threads > THREADS_MAX || (count == 0 && limit_ms == 0))
		return refused(ST_BAD_VALUE);
	room = SAMPLES_MAX / threads;
	if (stride == 0)
		stride = loop_stride(count ? count : 100 * (uint64_t)room, room);
	laps = calloc(threads, sizeof(*laps));
	samples = malloc(SAMPLES_MAX * sizeof(*samples));
	if (!laps || !samples)
		status = ST_NO_MEMORY;

	for (; status == ST_OK && ready < threads; ready++) {
		struct reader sub = {.at = payload, .left = length};
		struct lap *l = &laps[ready];

		l->count = count;
		l->over = companion ? companion->over : NULL;
		l->stride = stride;
		l->samples = samples + (size_t)ready * room;
		l->sample_room = room;
		l->limit_ns = limit_ms * UINT64_C(1000000);
		status = call_prepare(&l->call, op, &sub, &l->scratch);
	}
	if (status == ST_OK) {
		error = loop_run(laps, threads, companion);
		loop_report(laps, threads, samples, companion && companion->tally, out);
	}
	for (uint32_t i = 0; i < ready; i++) {
		call_drop(&laps[i].call);
		scratch_drop(&laps[i].scratch);
	}
	free(samples);
	free(laps);
	return status == ST_OK ? os_outcome(error) : refused(status);
}
