// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The contents of the global information page, at times that the tests choose. */
#include <pthread.h>

#include "host.h"
#include "supdrv_internal.h"

#define START_NS  5000000000ull
#define START_TSC 0x1234567890ull
#define TICK_NS	  10000000u
#define TICK_TSC  30000000u
#define WINDOW	  0x800u

/* A page at work. now is the time of its last change. */
struct scene {
	SUPGLOBALINFOPAGE page;
	struct supdrv_time now;
};

static void scene_init(struct scene *scene, uint32_t hz)
{
	memset(scene, 0, sizeof(*scene));
	scene->now = (struct supdrv_time){START_NS, START_TSC};
	supdrv_gip_init(&scene->page, hz, &scene->now);
}

static void scene_resume(struct scene *scene, uint32_t hz)
{
	scene_init(scene, hz);
	supdrv_gip_resume(&scene->page, &scene->now);
}

static void advance(struct scene *scene, uint64_t ns, uint64_t tsc)
{
	scene->now.ns += ns;
	scene->now.tsc += tsc;
	supdrv_gip_update(&scene->page, &scene->now);
}

/* So many updates, each of them ns after the one before. */
static void advance_by(struct scene *scene, uint32_t updates, uint64_t ns)
{
	while (updates--)
		advance(scene, ns, TICK_TSC);
}

TEST(a_new_page_has_its_initial_values)
{
	struct scene scene;
	uint32_t i;

	scene_init(&scene, 100);
	CHECK_EQUAL(scene.page.u32Magic, 0xBEEF0001);
	CHECK_EQUAL(scene.page.u32TransactionId, 2);
	CHECK_EQUAL(scene.page.u32UpdateHz, 100);
	CHECK_EQUAL(scene.page.u32UpdateIntervalNS, 10000000);
	CHECK_EQUAL(scene.page.u64NanoTS, START_NS);
	CHECK_EQUAL(scene.page.u64TSC, START_TSC);
	CHECK_EQUAL(scene.page.u32UpdateIntervalTSC, 0x20000000);
	CHECK_EQUAL(scene.page.iTSCHistoryHead, 0);
	for (i = 0; i < 8; i++)
		CHECK_EQUAL(scene.page.au32TSCHistory[i], 0x20000000);
	CHECK_EQUAL(scene.page.u64CpuHz, 0x100000001ull);
	CHECK_EQUAL(scene.page.cErrors, 0);
	CHECK_EQUAL(scene.page.u64NanoTSLastUpdateHz, START_NS);
	for (i = 0; i < 5; i++)
		CHECK_EQUAL(scene.page.au32Padding0[i], 0);
}

TEST(an_update_takes_over_the_time_and_adds_two_to_the_id)
{
	struct scene scene;

	scene_init(&scene, 100);
	advance(&scene, TICK_NS, TICK_TSC);
	CHECK_EQUAL(scene.page.u32TransactionId, 4);
	CHECK_EQUAL(scene.page.u64NanoTS, START_NS + TICK_NS);
	CHECK_EQUAL(scene.page.u64TSC, START_TSC + TICK_TSC);
	advance(&scene, TICK_NS, TICK_TSC);
	CHECK_EQUAL(scene.page.u32TransactionId, 6);
	CHECK_EQUAL(scene.page.cErrors, 0);
}

TEST(intervals_go_round_in_the_history_behind_its_head)
{
	struct scene scene;
	uint32_t i;

	scene_init(&scene, 100);
	for (i = 1; i <= 20; i++) {
		advance(&scene, TICK_NS, 1000 + i);
		CHECK_EQUAL(scene.page.iTSCHistoryHead, i % 8);
		CHECK_EQUAL(scene.page.au32TSCHistory[i % 8], 1000 + i);
	}
	for (i = 13; i <= 20; i++)
		CHECK_EQUAL(scene.page.au32TSCHistory[i % 8], 1000 + i);
}

TEST(a_slow_rate_takes_the_last_interval_and_a_sixty_fourth)
{
	struct scene scene;

	scene_init(&scene, 89);
	advance(&scene, TICK_NS, 1000);
	advance(&scene, TICK_NS, 64000);
	CHECK_EQUAL(scene.page.u32UpdateIntervalTSC, 64000 + 1000);
	CHECK_EQUAL(scene.page.u64CpuHz, 64000 * 89);
}

TEST(a_medium_rate_takes_the_mean_of_two_and_a_hundred_twenty_eighth)
{
	static const uint32_t rates[] = {90, 100, 999};
	struct scene scene;
	uint32_t i;

	for (i = 0; i < 3; i++) {
		scene_init(&scene, rates[i]);
		advance(&scene, TICK_NS, 77);
		advance(&scene, TICK_NS, 128000);
		advance(&scene, TICK_NS, 384000);
		CHECK_EQUAL(scene.page.u32UpdateIntervalTSC, 256000 + 2000);
		CHECK_EQUAL(scene.page.u64CpuHz, 256000 * rates[i]);
	}
}

TEST(a_fast_rate_takes_the_mean_of_eight_and_a_sixteen_thousand_three_hundred_eighty_fourth)
{
	struct scene scene;
	uint32_t i;

	scene_init(&scene, 1000);
	advance(&scene, TICK_NS, 99);
	for (i = 0; i < 8; i++)
		advance(&scene, TICK_NS, 0x100000 + 0x1000 * (2 * i - 7));
	CHECK_EQUAL(scene.page.u32UpdateIntervalTSC, 0x100000 + 0x40);
	CHECK_EQUAL(scene.page.u64CpuHz, 0x100000 * 1000ull);
}

TEST(the_longest_intervals_neither_wrap_their_mean_nor_their_slack)
{
	static const uint32_t rates[] = {50, 100, 1000};
	struct scene scene;
	uint32_t i, j;

	for (i = 0; i < 3; i++) {
		scene_init(&scene, rates[i]);
		for (j = 0; j < 8; j++)
			advance(&scene, TICK_NS, 0xFFFFFFFF);
		CHECK_EQUAL(scene.page.cErrors, 0);
		CHECK_EQUAL(scene.page.u32UpdateIntervalTSC, 0xFFFFFFFF);
		CHECK_EQUAL(scene.page.u64CpuHz, 0xFFFFFFFFull * rates[i]);
	}
}

TEST(an_interval_of_more_than_32_bits_is_replaced_and_counted)
{
	static const uint64_t intervals[] = {1ull << 32, (1ull << 32) + 5, ~0ull, 1ull << 63};
	struct scene scene;
	uint32_t i, expected;

	for (i = 0; i < 4; i++) {
		scene_init(&scene, 50);
		advance(&scene, TICK_NS, TICK_TSC);
		expected = scene.page.u32UpdateIntervalTSC;
		advance(&scene, TICK_NS, intervals[i]);
		CHECK_EQUAL(scene.page.cErrors, 1);
		CHECK_EQUAL(scene.page.au32TSCHistory[2], expected);
		CHECK_EQUAL(scene.page.u64TSC, scene.now.tsc);
		CHECK_EQUAL(scene.page.u32TransactionId, 6);
	}
}

TEST(an_update_that_meets_another_one_is_dropped_and_counted)
{
	SUPGLOBALINFOPAGE expected;
	struct scene scene;

	scene_init(&scene, 100);
	scene.page.u32TransactionId = 7;
	expected = scene.page;
	expected.cErrors = 1;
	advance(&scene, TICK_NS, TICK_TSC);
	CHECK(!memcmp(&scene.page, &expected, sizeof(expected)));
}

TEST(the_id_wraps_to_zero)
{
	struct scene scene;

	scene_init(&scene, 100);
	scene.page.u32TransactionId = 0xFFFFFFFE;
	advance(&scene, TICK_NS, TICK_TSC);
	CHECK_EQUAL(scene.page.u32TransactionId, 0);
	advance(&scene, TICK_NS, TICK_TSC);
	CHECK_EQUAL(scene.page.u32TransactionId, 2);
	CHECK_EQUAL(scene.page.cErrors, 0);
}

TEST(a_resume_goes_on_to_the_next_window_and_starts_the_times_anew)
{
	static const uint32_t ids[][2] = {
	    {2, 0x1000},      {0xFFE, 0x1000},		{0x1000, 0x2000},
	    {0x1002, 0x2000}, {0x12345678, 0x12346000}, {0xFFFFF002, 0},
	    {0x1001, 0x2000}};
	struct supdrv_time later = {START_NS + 99, START_TSC + (1ull << 40)};
	struct scene scene;
	uint32_t i;

	for (i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		scene_init(&scene, 100);
		scene.page.u32TransactionId = ids[i][0];
		supdrv_gip_resume(&scene.page, &later);
		CHECK_EQUAL(scene.page.u32TransactionId, ids[i][1]);
		CHECK_EQUAL(scene.page.u64NanoTS, later.ns);
		CHECK_EQUAL(scene.page.u64TSC, later.tsc);
		CHECK_EQUAL(scene.page.u64NanoTSLastUpdateHz, 0);
		CHECK_EQUAL(scene.page.cErrors, 0);
	}
}

TEST(a_pause_is_no_interval)
{
	struct scene scene;

	scene_resume(&scene, 100);
	advance(&scene, TICK_NS, TICK_TSC);
	scene.now.tsc += 1ull << 33;
	supdrv_gip_resume(&scene.page, &scene.now);
	advance(&scene, TICK_NS, TICK_TSC);
	CHECK_EQUAL(scene.page.au32TSCHistory[1], TICK_TSC);
	CHECK_EQUAL(scene.page.au32TSCHistory[2], TICK_TSC);
	CHECK_EQUAL(scene.page.cErrors, 0);
}

TEST(the_first_update_after_a_resume_begins_the_window)
{
	struct scene scene;

	scene_resume(&scene, 100);
	advance(&scene, 12345, TICK_TSC);
	CHECK_EQUAL(scene.page.u64NanoTSLastUpdateHz, START_NS + 12345);
	CHECK_EQUAL(scene.page.u32UpdateHz, 100);
	advance(&scene, TICK_NS, TICK_TSC);
	CHECK_EQUAL(scene.page.u64NanoTSLastUpdateHz, START_NS + 12345);
}

TEST(the_rate_is_measured_at_the_end_of_each_window)
{
	struct scene scene;
	uint32_t id;

	scene_resume(&scene, 100);
	id = scene.page.u32TransactionId;
	advance_by(&scene, WINDOW, 4000000);
	CHECK_EQUAL(scene.page.u32UpdateHz, 100);
	advance_by(&scene, 1, 4000000);
	CHECK_EQUAL(scene.page.u32UpdateHz, 250);
	CHECK_EQUAL(scene.page.u32UpdateIntervalNS, 4000000);
	CHECK_EQUAL(scene.page.u64NanoTSLastUpdateHz, scene.now.ns);
	CHECK_EQUAL(scene.page.u32TransactionId - id, 2 * (WINDOW + 1));
	advance_by(&scene, WINDOW - 1, 1000000);
	CHECK_EQUAL(scene.page.u32UpdateHz, 250);
	advance_by(&scene, 1, 1000000);
	CHECK_EQUAL(scene.page.u32UpdateHz, 1000);
}

TEST(the_rate_is_rounded_to_the_nearest_and_the_interval_follows_it)
{
	static const uint32_t intervals[][2] = {
	    {10000001, 100}, {9999999, 100}, {10040000, 100}, {10060000, 99}, {1001000, 999}};
	struct scene scene;
	uint32_t i;

	for (i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		scene_resume(&scene, 500);
		advance_by(&scene, WINDOW + 1, intervals[i][0]);
		CHECK_EQUAL(scene.page.u32UpdateHz, intervals[i][1]);
		CHECK_EQUAL(scene.page.u32UpdateIntervalNS, 1000000000 / intervals[i][1]);
	}
}

TEST(only_rates_from_30_to_2000_are_accepted)
{
	static const uint64_t intervals[][2] = {{33333333, 30},	   {33333334, 100},  {500000, 2000},
						{499999, 100},	   {1, 100},	     {0, 100},
						{1ull << 32, 100}, {1ull << 50, 100}};
	struct scene scene;
	uint32_t i;

	for (i = 0; i < sizeof(intervals) / sizeof(intervals[0]); i++) {
		scene_resume(&scene, 100);
		advance_by(&scene, WINDOW + 1, intervals[i][0]);
		CHECK_EQUAL(scene.page.u32UpdateHz, intervals[i][1]);
		CHECK_EQUAL(scene.page.u32UpdateIntervalNS, 1000000000 / intervals[i][1]);
		CHECK_EQUAL(scene.page.u64NanoTSLastUpdateHz, scene.now.ns);
	}
}

/*
 * Copies the page as clients do, word by word so that the compiler makes the copy between the two
 * looks at the id. False: it changed meanwhile.
 */
static bool page_read(const SUPGLOBALINFOPAGE *page, SUPGLOBALINFOPAGE *copy)
{
	const volatile uint32_t *from = (const volatile uint32_t *)(uintptr_t)page;
	const volatile uint32_t *id = from + offsetof(SUPGLOBALINFOPAGE, u32TransactionId) / 4;
	uint32_t words[sizeof(*page) / 4], before = *id, i;

	for (i = 0; i < sizeof(*page) / 4; i++)
		words[i] = from[i];
	if (before % 2 || *id != before)
		return false;
	memcpy(copy, words, sizeof(words));
	return true;
}

struct race {
	struct scene scene;
	uint32_t running;
};

/* Each pause and each update moves both clocks by the same, so that a mix shows. */
static void *race_update(void *argument)
{
	struct race *race = argument;
	uint32_t i;

	for (i = 0; i < 2000000; i++) {
		if (i % 100 == 99)
			supdrv_gip_resume(&race->scene.page, &race->scene.now);
		advance(&race->scene, i % 4096, i % 4096);
	}
	__atomic_store_n(&race->running, 0, __ATOMIC_RELEASE);
	return NULL;
}

TEST(a_reader_on_another_cpu_never_takes_a_mix_for_the_page)
{
	const uint64_t apart = START_TSC - START_NS;
	struct race race = {.running = 1};
	SUPGLOBALINFOPAGE copy;
	pthread_t updater;

	scene_resume(&race.scene, 100);
	CHECK(!pthread_create(&updater, NULL, race_update, &race));
	while (__atomic_load_n(&race.running, __ATOMIC_ACQUIRE))
		if (page_read(&race.scene.page, &copy))
			CHECK_EQUAL(copy.u64TSC - copy.u64NanoTS, apart);
	pthread_join(updater, NULL);
	CHECK_EQUAL(race.scene.page.cErrors, 0);
}

TEST(a_cleared_page_is_no_page)
{
	struct scene scene;

	scene_resume(&scene, 100);
	advance(&scene, TICK_NS, TICK_TSC);
	supdrv_gip_clear(&scene.page);
	CHECK_EQUAL(scene.page.u32Magic, 0);
	CHECK_EQUAL(scene.page.u64NanoTS, 0);
	CHECK_EQUAL(scene.page.u64TSC, 0);
}
