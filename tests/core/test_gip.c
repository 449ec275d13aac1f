// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Who uses the global information page, and what that costs. */
#include "host.h"
#include "supdrv_internal.h"

#define WINDOW_IDS 0x1000u

static struct bench bench;
static SUPGIPMAP_OUT out;

static int32_t gip_request(struct supdrv_session *session, uint32_t number, uint32_t out_size)
{
	uint32_t cookies[2] = {bench.cookies[0], session->cookie};

	return request(session, number, cookies, sizeof(cookies), &out, out_size);
}

static int32_t gip_map(struct supdrv_session *session)
{
	return gip_request(session, SUP_IOCTL_GIP_MAP, sizeof(out));
}

static int32_t gip_unmap(struct supdrv_session *session)
{
	return gip_request(session, SUP_IOCTL_GIP_UNMAP, 0);
}

static struct supdrv_session *session_open(void)
{
	struct supdrv_session *session;

	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &session), SUPDRV_OK);
	return session;
}

/* So many sessions use the page, and with any of them the timer runs. */
static void check_users(uint32_t count)
{
	CHECK_EQUAL(bench.device->counters[SUPDRV_COUNTER_GIP_USERS], count);
	CHECK_EQUAL(host_mappings_live, count);
	CHECK_EQUAL(host_timers_live, count ? 1 : 0);
}

TEST(gip_map_answers_with_address_token_and_physical_address)
{
	SUPGLOBALINFOPAGE *page;

	host_time.ns = 4711;
	bench_setup(&bench, NULL, 0);
	page = bench.device->gip.page;
	CHECK_EQUAL(page->u64NanoTS, 4711);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	CHECK(out.pGipR3->u32Magic == SUPGLOBALINFOPAGE_MAGIC);
	CHECK(out.pGipR3 == (PCSUPGLOBALINFOPAGE)supdrv_os_mapping_address(bench.session->gip));
	CHECK((uintptr_t)out.pGipR0 % 2 && out.pGipR0 != page);
	CHECK_EQUAL(out.HCPhysGip, supdrv_os_pages_physical(bench.device->gip.pages, 0));
	bench_teardown(&bench);
}

TEST(gip_map_again_gives_the_same_and_counts_once)
{
	SUPGIPMAP_OUT first;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	first = out;
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	CHECK(!memcmp(&first, &out, sizeof(out)));
	check_users(1);
	bench_teardown(&bench);
}

TEST(gip_unmap_works_any_number_of_times)
{
	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(gip_unmap(bench.session), SUPDRV_OK);
	check_users(0);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	CHECK_EQUAL(gip_unmap(bench.session), SUPDRV_OK);
	check_users(0);
	CHECK_EQUAL(gip_unmap(bench.session), SUPDRV_OK);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	check_users(1);
	bench_teardown(&bench);
}

TEST(gip_is_updated_from_the_first_user_to_the_last)
{
	struct supdrv_session *other;

	bench_setup(&bench, NULL, 0);
	other = session_open();
	check_users(0);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	check_users(1);
	CHECK_EQUAL(gip_map(other), SUPDRV_OK);
	check_users(2);
	CHECK_EQUAL(gip_unmap(bench.session), SUPDRV_OK);
	check_users(1);
	supdrv_session_close(other);
	check_users(0);
	bench_teardown(&bench);
}

TEST(gip_ticks_write_the_time_of_the_tick)
{
	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	host_time = (struct supdrv_time){1000, 2000};
	host_timer_tick();
	CHECK_EQUAL(out.pGipR3->u64NanoTS, 1000);
	CHECK_EQUAL(out.pGipR3->u64TSC, 2000);
	bench_teardown(&bench);
}

TEST(gip_resumes_with_the_present_time_and_an_id_that_was_never_used)
{
	uint32_t id;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	id = out.pGipR3->u32TransactionId;
	CHECK_EQUAL(gip_unmap(bench.session), SUPDRV_OK);
	host_time = (struct supdrv_time){77, 88};
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	CHECK_EQUAL(out.pGipR3->u32TransactionId, id + WINDOW_IDS);
	CHECK_EQUAL(out.pGipR3->u64NanoTS, 77);
	CHECK_EQUAL(out.pGipR3->u64TSC, 88);
	bench_teardown(&bench);
}

TEST(gip_does_not_resume_for_a_second_user)
{
	struct supdrv_session *other;
	uint32_t id;

	bench_setup(&bench, NULL, 0);
	other = session_open();
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	host_timer_tick();
	id = out.pGipR3->u32TransactionId;
	CHECK_EQUAL(gip_map(other), SUPDRV_OK);
	CHECK_EQUAL(out.pGipR3->u32TransactionId, id);
	supdrv_session_close(other);
	bench_teardown(&bench);
}

static int32_t map_with_fault(void)
{
	struct client client = {bench.cookies, 8, &out, sizeof(out), true, 0};

	return client_request(bench.session, SUP_IOCTL_GIP_MAP, &client);
}

TEST(gip_map_is_taken_back_when_its_answer_cannot_be_delivered)
{
	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(map_with_fault(), SUPDRV_OK);
	check_users(0);
	bench_teardown(&bench);
}

TEST(gip_map_that_made_nothing_takes_nothing_back)
{
	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	CHECK_EQUAL(map_with_fault(), SUPDRV_OK);
	check_users(1);
	bench_teardown(&bench);
}

TEST(gip_undo_leaves_the_mapping_that_another_thread_made_since)
{
	struct supdrv_call call;
	uint64_t buffer[4];

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_call_prepare(bench.session, SUP_IOCTL_GIP_MAP, 8, sizeof(out), &call),
		    0);
	memcpy(buffer, bench.cookies, 8);
	call.buffer = buffer;
	CHECK_EQUAL(supdrv_call_run(bench.session, &call), SUPDRV_OK);
	CHECK_EQUAL(gip_unmap(bench.session), SUPDRV_OK);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	supdrv_call_undo(bench.session, &call);
	check_users(1);
	CHECK_EQUAL(gip_unmap(bench.session), SUPDRV_OK);
	supdrv_call_undo(bench.session, &call);
	check_users(0);
	bench_teardown(&bench);
}

static void another_thread_maps(void)
{
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
}

TEST(gip_maps_of_two_threads_at_once_make_one_mapping)
{
	struct supdrv_mapping *mapping;

	bench_setup(&bench, NULL, 0);
	host_during_map = another_thread_maps;
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	check_users(1);
	mapping = bench.session->gip;
	host_during_map = another_thread_maps;
	CHECK_EQUAL(map_with_fault(), SUPDRV_OK);
	CHECK(bench.session->gip == mapping);
	check_users(1);
	bench_teardown(&bench);
}

TEST(gip_undo_of_the_slower_thread_leaves_the_mapping_of_the_faster)
{
	bench_setup(&bench, NULL, 0);
	host_during_map = another_thread_maps;
	CHECK_EQUAL(map_with_fault(), SUPDRV_OK);
	CHECK(!host_during_map);
	check_users(1);
	bench_teardown(&bench);
}

TEST(a_driver_without_a_page_refuses_to_map_it)
{
	const struct supdrv_config config = {0};
	struct supdrv_session *session;

	host_alloc_budget = 1;
	CHECK_EQUAL(supdrv_device_create(&config, &bench.device), SUPDRV_OK);
	host_alloc_budget = -1;
	session = session_open();
	bench.cookies[0] = bench.device->cookie;
	CHECK_EQUAL(gip_map(session), SUPDRV_ERR_GENERAL_FAILURE);
	CHECK_EQUAL(gip_unmap(session), SUPDRV_OK);
	check_users(0);
	supdrv_session_close(session);
	supdrv_device_destroy(bench.device);
	CHECK_EQUAL(host_alloc_live, 0);
}

TEST(gip_map_without_memory_leaves_nothing_behind)
{
	long budget, before;

	bench_setup(&bench, NULL, 0);
	before = host_alloc_live;
	for (budget = 0; budget < 2; budget++) {
		host_alloc_budget = budget;
		CHECK_EQUAL(gip_map(bench.session), SUPDRV_ERR_NO_MEMORY);
		CHECK_EQUAL(host_alloc_live, before);
		check_users(0);
	}
	host_alloc_budget = -1;
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(the_page_is_cleared_at_unload)
{
	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(gip_map(bench.session), SUPDRV_OK);
	host_pages_last_word = SUPGLOBALINFOPAGE_MAGIC;
	bench_teardown(&bench);
	CHECK_EQUAL(host_pages_last_word, 0);
}
