// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Records of pinned and allocated memory: quotas, failures half-way, undo, release and close. */
#include "memory_client.h"

#define RECORDS_MOST 4096u
#define MAPPED_MOST  16384u
#define PINNED_MOST  262144u

TEST(every_failing_allocation_leaves_nothing_behind)
{
	struct bench bench;
	int kind;
	long budget;

	bench_setup(&bench, NULL, 0);
	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		const long before = host_alloc_live;

		for (budget = 0;; budget++) {
			host_alloc_budget = budget;
			if (!memory_make(&bench, kind, 3, false).status)
				break;
			CHECK_EQUAL(host_alloc_budget, 0);
			CHECK_EQUAL(host_alloc_live, before);
			memory_check_counted(&bench, kind, 0, 0);
		}
		host_alloc_budget = -1;
		CHECK_EQUAL(budget, kind == PIN ? 2 : 3);
		memory_check_counted(&bench, kind, 1, 3);
	}
	bench_teardown(&bench);
}

TEST(a_failed_request_says_that_memory_is_short)
{
	struct bench bench;
	int kind;

	bench_setup(&bench, NULL, 0);
	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		host_alloc_budget = 1;
		CHECK_EQUAL(memory_make(&bench, kind, 1, false).status, SUPDRV_ERR_NO_MEMORY);
	}
	bench_teardown(&bench);
}

TEST(what_cannot_be_answered_is_released)
{
	struct bench bench;
	int kind;

	bench_setup(&bench, NULL, 0);
	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		CHECK_EQUAL(memory_make(&bench, kind, 4, true).status, SUPDRV_OK);
		memory_check_none(&bench);
	}
	bench_teardown(&bench);
}

TEST(undo_takes_the_new_record_not_an_older_one_of_that_address)
{
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(memory_make(&bench, PIN, 5, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, PIN, 2, true).status, SUPDRV_OK);
	memory_check_counted(&bench, PIN, 1, 5);
	bench_teardown(&bench);
}

TEST(undo_after_another_thread_has_released_the_record_does_nothing)
{
	struct supdrv_call call;
	struct bench bench;
	SUPPAGE page;
	union {
		SUPPINPAGES_IN in;
		uint8_t bytes[64];
	} buffer;

	bench_setup(&bench, NULL, 0);
	memory_make(&bench, PIN, 7, false);
	CHECK_EQUAL(memory_release(&bench, PIN, OWN_PAGES), SUPDRV_OK);
	buffer.in = (SUPPINPAGES_IN){bench.cookies[0], bench.cookies[1], (void *)OWN_PAGES, PAGE};
	CHECK_EQUAL(supdrv_call_prepare(bench.session, SUP_IOCTL_PINPAGES, sizeof(buffer.in),
					sizeof(page), &call),
		    SUPDRV_OK);
	call.buffer = &buffer;
	CHECK_EQUAL(supdrv_call_run(bench.session, &call), SUPDRV_OK);
	CHECK_EQUAL(memory_release(&bench, PIN, OWN_PAGES), SUPDRV_OK);
	memory_make(&bench, PIN, 3, false);
	supdrv_call_undo(bench.session, &call);
	memory_check_counted(&bench, PIN, 1, 3);
	bench_teardown(&bench);
}

TEST(a_record_is_released_once_by_its_own_request_and_in_its_own_session)
{
	struct bench bench, other;
	int kind, wrong;

	bench_setup(&bench, NULL, 0);
	other = bench;
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &other.session), SUPDRV_OK);
	other.cookies[1] = negotiate(other.session).u32SessionCookie;
	for (kind = 0; kind < MEMORY_KINDS; kind++) {
		struct memory made = memory_make(&bench, kind, 2, false);

		for (wrong = 0; wrong < MEMORY_KINDS; wrong++)
			if (wrong != kind)
				CHECK_EQUAL(memory_release(&bench, wrong, made.address), -2);
		CHECK_EQUAL(memory_release(&other, kind, made.address), -2);
		CHECK_EQUAL(memory_release(&bench, kind, 0), -2);
		CHECK_EQUAL(memory_release(&bench, kind, made.address + PAGE), -2);
		CHECK_EQUAL(memory_release(&bench, kind, made.address), SUPDRV_OK);
		CHECK_EQUAL(memory_release(&bench, kind, made.address), -2);
		memory_check_none(&bench);
	}
	supdrv_session_close(other.session);
	bench_teardown(&bench);
}

TEST(of_several_pins_of_one_address_the_oldest_goes_first)
{
	struct bench bench;
	uint32_t pages, left = 1 + 2 + 3 + 4 + 5;

	bench_setup(&bench, NULL, 0);
	for (pages = 1; pages <= 5; pages++)
		memory_make(&bench, PIN, pages, false);
	for (pages = 1; pages <= 5; pages++) {
		CHECK_EQUAL(memory_release(&bench, PIN, OWN_PAGES), SUPDRV_OK);
		left -= pages;
		memory_check_counted(&bench, PIN, 5 - pages, left);
	}
	CHECK_EQUAL(memory_release(&bench, PIN, OWN_PAGES), -2);
	bench_teardown(&bench);
}

TEST(a_session_has_4096_records_at_most)
{
	struct memory kept = {0};
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < RECORDS_MOST; i++) {
		kept = memory_make(&bench, i % MEMORY_KINDS, 1, false);
		CHECK_EQUAL(kept.status, SUPDRV_OK);
	}
	for (i = 0; i < MEMORY_KINDS; i++)
		CHECK_EQUAL(memory_make(&bench, i, 1, false).status, SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(memory_release(&bench, (RECORDS_MOST - 1) % MEMORY_KINDS, kept.address),
		    SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, PIN, 1, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, PIN, 1, false).status, SUPDRV_ERR_NO_MEMORY);
	bench_teardown(&bench);
}

TEST(cont_and_low_share_64_mebibytes)
{
	struct memory last = {0};
	struct bench bench;
	uint32_t pages;

	bench_setup(&bench, NULL, 0);
	for (pages = 255; pages < MAPPED_MOST; pages += 255)
		last = memory_make(&bench, pages % 2 ? CONT : LOW, 255, false);
	CHECK_EQUAL(last.status, SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, CONT, 65, false).status, SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(memory_make(&bench, LOW, 65, false).status, SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(memory_make(&bench, LOW, 64, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, CONT, 1, false).status, SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(memory_make(&bench, PIN, 1, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_release(&bench, LOW, last.address), SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, CONT, 255, false).status, SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(pins_have_a_gibibyte)
{
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(memory_make(&bench, PIN, PINNED_MOST - 5, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, PIN, 6, false).status, SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(memory_make(&bench, PIN, 5, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, PIN, 1, false).status, SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(memory_make(&bench, LOW, 1, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_release(&bench, PIN, OWN_PAGES), SUPDRV_OK);
	CHECK_EQUAL(memory_make(&bench, PIN, PINNED_MOST - 5, false).status, SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(quotas_are_each_sessions_own)
{
	struct bench bench, other;

	bench_setup(&bench, NULL, 0);
	other = bench;
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &other.session), SUPDRV_OK);
	other.cookies[1] = negotiate(other.session).u32SessionCookie;
	CHECK_EQUAL(memory_make(&bench, PIN, PINNED_MOST, false).status, SUPDRV_OK);
	CHECK_EQUAL(memory_make(&other, PIN, PINNED_MOST, false).status, SUPDRV_OK);
	supdrv_session_close(other.session);
	memory_check_counted(&bench, PIN, 1, PINNED_MOST);
	bench_teardown(&bench);
}

TEST(refused_requests_do_not_use_up_quotas)
{
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 2 * RECORDS_MOST; i++) {
		host_pin_status = SUPDRV_ERR_LOCK_FAILED;
		memory_make(&bench, PIN, 1000, false);
		host_pin_status = SUPDRV_OK;
		memory_make(&bench, LOW, 1, true);
	}
	CHECK_EQUAL(memory_make(&bench, PIN, PINNED_MOST, false).status, SUPDRV_OK);
	bench_teardown(&bench);
}

/* Against a list kept here: releases from the start, the middle and the end, and a close at last.
 */
TEST(records_in_any_order_of_making_and_release)
{
	struct {
		int kind;
		uintptr_t address;
		uint32_t pages;
	} model[64];
	uint32_t round, count = 0, random[2];
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	for (round = 0; round < 20000; round++) {
		supdrv_os_random(random, sizeof(random));
		if (count < 64 && random[0] % 2) {
			int kind = 1 + random[1] % 2;
			uint32_t pages = 1 + random[1] / 2 % 4;
			struct memory made = memory_make(&bench, kind, pages, false);

			CHECK_EQUAL(made.status, SUPDRV_OK);
			model[count].kind = kind;
			model[count].address = made.address;
			model[count++].pages = pages;
		} else if (count) {
			uint32_t which = random[1] % count;

			CHECK_EQUAL(memory_release(&bench, model[which].kind, model[which].address),
				    SUPDRV_OK);
			model[which] = model[--count];
		}
		CHECK_EQUAL(bench.device->counters[SUPDRV_COUNTER_RECORDS_CONT] +
				bench.device->counters[SUPDRV_COUNTER_RECORDS_LOW],
			    count);
	}
	bench_teardown(&bench);
}
