// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "host.h"
#include "supdrv_internal.h"

TEST(session_hands_back_what_glue_gave)
{
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK(supdrv_session_os(bench.session) == &bench);
	bench_teardown(&bench);
}

TEST(no_memory_for_a_device_is_reported)
{
	const struct supdrv_config config = {0};
	struct supdrv_device *device;

	host_alloc_budget = 0;
	CHECK_EQUAL(supdrv_device_create(&config, &device), SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(host_lock_live, 0);
}

TEST(no_memory_for_a_session_leaves_the_device_as_it_was)
{
	struct supdrv_session *session;
	struct bench bench;
	long before;

	bench_setup(&bench, NULL, 0);
	before = host_alloc_live;
	host_alloc_budget = 0;
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &session), SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(host_alloc_live, before);
	bench_teardown(&bench);
}

TEST(cookies_and_tokens_are_never_zero_and_differ_between_sessions)
{
	struct supdrv_session *sessions[50];
	SUPCOOKIE_OUT out[50];
	struct bench bench;
	int i, j;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 50; i++) {
		CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &sessions[i]), SUPDRV_OK);
		out[i] = negotiate(sessions[i]);
		CHECK(out[i].u32Cookie == bench.cookies[0] && out[i].u32SessionCookie);
		CHECK((uintptr_t)out[i].pSession % 2 == 1);
		for (j = 0; j < i; j++) {
			CHECK(out[i].u32SessionCookie != out[j].u32SessionCookie);
			CHECK(out[i].pSession != out[j].pSession);
		}
	}
	/* From the middle, the end and the start of the list. */
	for (i = 0; i < 50; i++)
		supdrv_session_close(sessions[(i * 7 + 25) % 50]);
	bench_teardown(&bench);
}

TEST(cookies_differ_even_if_the_generator_repeats_itself)
{
	static const uint8_t bytes[] = {0x00, 0xFF, 0x5A};
	struct supdrv_session *second;
	struct bench bench;
	uint32_t cookie, i;

	for (i = 0; i < sizeof(bytes); i++) {
		host_random_fix(bytes[i]);
		bench_setup(&bench, NULL, 0);
		CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &second), SUPDRV_OK);
		cookie = negotiate(second).u32SessionCookie;
		CHECK(bench.cookies[0] && bench.cookies[1] && cookie);
		CHECK(cookie != bench.cookies[0] && cookie != bench.cookies[1]);
		CHECK(bench.cookies[0] != bench.cookies[1]);
		supdrv_session_close(second);
		bench_teardown(&bench);
	}
}

TEST(cookies_differ_between_loads)
{
	struct bench first, second;

	bench_setup(&first, NULL, 0);
	supdrv_session_close(first.session);
	supdrv_device_destroy(first.device);
	bench_setup(&second, NULL, 0);
	CHECK(first.cookies[0] != second.cookies[0]);
	CHECK(first.identity.pSession != second.identity.pSession);
	bench_teardown(&second);
}

TEST(tokens_are_in_no_address_space)
{
	const uintptr_t top = ~(~(uintptr_t)0 >> 1);
	static const uint8_t bytes[] = {0x00, 0xFF};
	struct bench bench;
	uintptr_t token;
	uint32_t i;

	for (i = 0; i < 2; i++) {
		host_random_fix(bytes[i]);
		bench_setup(&bench, NULL, 0);
		token = (uintptr_t)bench.identity.pSession;
		CHECK(!(token & top) && (token & top >> 1) && token % 2);
		bench_teardown(&bench);
	}
}

TEST(counters_have_a_fixed_form_and_count_sessions)
{
	static const char rest[] = "records_pin 0\nrecords_cont 0\nrecords_low 0\n"
				   "pages_pinned 0\npages_cont 0\npages_low 0\n"
				   "images 0\nimage_references 0\ngip_users 0\n";
	struct supdrv_session *more[9];
	char text[SUPDRV_COUNTERS_TEXT_SIZE];
	struct bench bench;
	int i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 9; i++)
		CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &more[i]), SUPDRV_OK);
	CHECK_EQUAL(supdrv_counters_format(bench.device, text, sizeof(text)), strlen(text));
	CHECK(!strncmp(text, "sessions 10\n", 12) && !strcmp(text + 12, rest));
	for (i = 0; i < 9; i++)
		supdrv_session_close(more[i]);
	supdrv_counters_format(bench.device, text, sizeof(text));
	CHECK(!strncmp(text, "sessions 1\n", 11));
	bench_teardown(&bench);
}

TEST(counters_are_printed_at_full_width)
{
	static const uint64_t values[] = {
	    9,		 10,	      65535,	    65536,
	    4294967295u, 4294967296u, 99999999999u, 12345678901234567890u,
	    UINT64_MAX};
	char text[SUPDRV_COUNTERS_TEXT_SIZE], expected[40];
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		bench.device->counters[SUPDRV_COUNTER_IMAGES] = values[i];
		snprintf(expected, sizeof(expected), "\nimages %llu\n",
			 (unsigned long long)values[i]);
		supdrv_counters_format(bench.device, text, sizeof(text));
		CHECK(strstr(text, expected));
	}
	bench_teardown(&bench);
}

TEST(counters_always_fit_the_text_size)
{
	char text[SUPDRV_COUNTERS_TEXT_SIZE];
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	memset(bench.device->counters, 0xFF, sizeof(bench.device->counters));
	CHECK(supdrv_counters_format(bench.device, text, sizeof(text)) < sizeof(text) - 1);
	bench_teardown(&bench);
}

TEST(counters_fit_the_buffer_they_are_given)
{
	struct bench bench;
	size_t size;
	char *text;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_counters_format(bench.device, NULL, 0), 0);
	for (size = 1; size < 300; size++) {
		text = malloc(size);
		CHECK(supdrv_counters_format(bench.device, text, size) < size);
		CHECK(strlen(text) < size);
		free(text);
	}
	bench_teardown(&bench);
}
