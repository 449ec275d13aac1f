// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* LDR_OPEN and LDR_FREE: names, sharing, counts and limits. */
#include "image_client.h"

TEST(an_image_is_open_until_it_was_freed_as_often_as_opened)
{
	SUPLDROPEN_OUT first, second;
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(image_open(bench.session, "a", 100, &first), SUPDRV_OK);
	CHECK(first.fNeedsLoading && first.pvImageBase);
	CHECK_EQUAL(image_open(bench.session, "a", 999, &second), SUPDRV_OK);
	CHECK(second.pvImageBase == first.pvImageBase);
	CHECK_EQUAL(images_counted(&bench), 1);
	CHECK_EQUAL(opens_counted(&bench), 2);
	CHECK_EQUAL(image_free(bench.session, (uintptr_t)first.pvImageBase), SUPDRV_OK);
	CHECK_EQUAL(images_counted(&bench), 1);
	CHECK_EQUAL(image_free(bench.session, (uintptr_t)first.pvImageBase), SUPDRV_OK);
	CHECK_EQUAL(images_counted(&bench), 0);
	CHECK_EQUAL(opens_counted(&bench), 0);
	CHECK_EQUAL(image_free(bench.session, (uintptr_t)first.pvImageBase),
		    SUPDRV_ERR_INVALID_HANDLE);
	bench_teardown(&bench);
}

TEST(sessions_share_an_image_by_its_name_and_reach_only_what_they_opened)
{
	struct supdrv_session *other;
	struct bench bench;
	uintptr_t base;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &other), SUPDRV_OK);
	base = image_open_well(bench.session, "shared", 4096);
	CHECK_EQUAL(image_free(other, base), SUPDRV_ERR_INVALID_HANDLE);
	CHECK(image_open_well(other, "shared", 1) == base);
	CHECK(image_open_well(other, "Shared", 1) != base);
	CHECK_EQUAL(images_counted(&bench), 2);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_ERR_INVALID_HANDLE);
	CHECK_EQUAL(images_counted(&bench), 2);
	supdrv_session_close(other);
	CHECK_EQUAL(images_counted(&bench), 0);
	CHECK_EQUAL(opens_counted(&bench), 0);
	bench_teardown(&bench);
}

TEST(closing_a_session_frees_what_it_opened_as_often_as_it_did)
{
	struct supdrv_session *other;
	struct bench bench;
	uintptr_t base;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &other), SUPDRV_OK);
	base = image_open_well(bench.session, "a", 10);
	image_open_well(other, "a", 10);
	image_open_well(other, "a", 10);
	image_open_well(other, "b", 10);
	supdrv_session_close(other);
	CHECK_EQUAL(images_counted(&bench), 1);
	CHECK_EQUAL(opens_counted(&bench), 1);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(sizes_are_from_1_to_16_mib_minus_1)
{
	static const uint32_t bad[] = {0, 16u << 20, (16u << 20) + 1, 1u << 31, ~0u};
	static const uint32_t good[] = {1, 4095, 4096, 4097, (16u << 20) - 1};
	SUPLDROPEN_OUT out;
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQUAL(image_open(bench.session, "a", bad[i], &out), SUPDRV_ERR_INVALID_PARAM);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_EQUAL(image_free(bench.session, image_open_well(bench.session, "a", good[i])),
			    0);
	bench_teardown(&bench);
}

TEST(names_have_1_to_31_characters_that_are_not_forbidden)
{
	const char forbidden[] = ";:()[]{}/\\|&*%#@!~`\"'";
	char name[] = "a?b";
	SUPLDROPEN_IN in = {.cbImage = 1};
	SUPLDROPEN_OUT out;
	struct bench bench;
	int character;

	bench_setup(&bench, NULL, 0);
	for (character = 1; character < 256; character++) {
		int32_t expected = strchr(forbidden, character) ? SUPDRV_ERR_INVALID_PARAM : 0;

		name[1] = (char)character;
		CHECK_EQUAL(image_open(bench.session, name, 1, &out), expected);
		if (!expected)
			image_free(bench.session, (uintptr_t)out.pvImageBase);
	}
	CHECK_EQUAL(image_open(bench.session, "", 1, &out), SUPDRV_ERR_INVALID_PARAM);
	CHECK_EQUAL(image_open(bench.session, "0123456789012345678901234567890", 1, &out), 0);
	memcpy(&in, bench.cookies, sizeof(bench.cookies));
	memset(in.szName, 'a', sizeof(in.szName));
	CHECK_EQUAL(request(bench.session, SUP_IOCTL_LDR_OPEN, &in, sizeof(in), &out, sizeof(out)),
		    SUPDRV_ERR_INVALID_PARAM);
	bench_teardown(&bench);
}

TEST(bases_are_tokens_that_do_not_overlap_or_wrap)
{
	const uint32_t size = (16u << 20) - 1;
	uintptr_t bases[4];
	struct bench bench;
	char name[] = "0";
	int i, j;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 4; i++, name[0]++) {
		bases[i] = image_open_well(bench.session, name, size);
		CHECK_EQUAL(bases[i] % 32, 0);
		CHECK(bases[i] + size <= ~(uintptr_t)0 >> 1);
		CHECK(bases[i] >= (~(uintptr_t)0 >> 2) - size);
		for (j = 0; j < i; j++)
			CHECK(bases[i] + size <= bases[j] || bases[j] + size <= bases[i]);
	}
	bench_teardown(&bench);
}

TEST(the_highest_token_leaves_room_for_the_image)
{
	struct bench bench;
	uintptr_t base;

	bench_setup(&bench, NULL, 0);
	host_random_fix(0xFF);
	base = image_open_well(bench.session, "a", (16u << 20) - 1);
	CHECK(base + (16u << 20) - 1 <= ~(uintptr_t)0 >> 1);
	host_random_free();
	bench_teardown(&bench);
}

TEST(an_image_that_finds_no_base_of_its_own_is_refused)
{
	SUPLDROPEN_OUT out;
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	host_random_fix(0x55);
	image_open_well(bench.session, "a", 100);
	CHECK_EQUAL(image_open(bench.session, "b", 100, &out), SUPDRV_ERR_NO_MEMORY);
	host_random_free();
	CHECK_EQUAL(images_counted(&bench), 1);
	bench_teardown(&bench);
}

TEST(a_session_opens_an_image_65535_times)
{
	SUPLDROPEN_OUT out;
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 65535; i++)
		CHECK_EQUAL(image_open(bench.session, "a", 1, &out), SUPDRV_OK);
	CHECK_EQUAL(image_open(bench.session, "a", 1, &out), SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(opens_counted(&bench), 65535);
	bench_teardown(&bench);
}

TEST(there_are_256_images_at_most)
{
	SUPLDROPEN_OUT out;
	struct bench bench;
	uintptr_t last = 0;
	char name[16];
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 256; i++) {
		snprintf(name, sizeof(name), "%u", i);
		last = image_open_well(bench.session, name, 1);
	}
	CHECK_EQUAL(image_open(bench.session, "one more", 1, &out), SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(image_open(bench.session, "0", 1, &out), SUPDRV_OK);
	CHECK_EQUAL(image_free(bench.session, last), SUPDRV_OK);
	image_open_well(bench.session, "one more", 1);
	bench_teardown(&bench);
}

TEST(all_images_have_64_mib_at_most)
{
	SUPLDROPEN_OUT out;
	struct bench bench;
	char name[] = "0";
	uintptr_t first;

	bench_setup(&bench, NULL, 0);
	first = image_open_well(bench.session, "a", 16u << 20 >> 1);
	for (; name[0] < '6'; name[0]++)
		image_open_well(bench.session, name, 16u << 20 >> 1);
	CHECK_EQUAL(image_open(bench.session, "b", (8u << 20) + 1, &out), SUPDRV_ERR_NO_MEMORY);
	image_open_well(bench.session, "b", 8u << 20);
	CHECK_EQUAL(image_open(bench.session, "c", 1, &out), SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(image_free(bench.session, first), SUPDRV_OK);
	image_open_well(bench.session, "c", 1);
	bench_teardown(&bench);
}

static void open_with_little_memory(bool ring0_images)
{
	const struct supdrv_config config = {.ring0_images = ring0_images};
	SUPLDROPEN_OUT out;
	struct bench bench;
	long budget, live;

	bench_setup_as(&bench, &config);
	live = host_alloc_live;
	for (budget = 0; budget < 3; budget++) {
		host_alloc_budget = budget;
		CHECK_EQUAL(image_open(bench.session, "a", 1, &out), SUPDRV_ERR_NO_MEMORY);
		CHECK_EQUAL(host_alloc_live, live);
		CHECK_EQUAL(images_counted(&bench), 0);
	}
	host_alloc_budget = 3;
	CHECK_EQUAL(image_open(bench.session, "a", 1, &out), SUPDRV_OK);
	host_alloc_budget = 0;
	CHECK_EQUAL(image_open(bench.session, "a", 1, &out), SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(opens_counted(&bench), 1);
	host_alloc_budget = -1;
	bench_teardown(&bench);
}

TEST(an_open_without_memory_changes_nothing)
{
	open_with_little_memory(false);
}

TEST(an_open_without_memory_changes_nothing_where_images_run)
{
	open_with_little_memory(true);
}

TEST(an_open_whose_answer_cannot_be_delivered_is_taken_back)
{
	SUPLDROPEN_IN in = {.cbImage = 1, .szName = "a"};
	SUPLDROPEN_OUT out;
	struct client client = {&in, sizeof(in), &out, sizeof(out), true, 0};
	struct bench bench;
	uintptr_t base;

	bench_setup(&bench, NULL, 0);
	memcpy(&in, bench.cookies, sizeof(bench.cookies));
	CHECK_EQUAL(client_request(bench.session, SUP_IOCTL_LDR_OPEN, &client), SUPDRV_OK);
	CHECK_EQUAL(images_counted(&bench), 0);
	base = image_open_well(bench.session, "a", 1);
	CHECK_EQUAL(client_request(bench.session, SUP_IOCTL_LDR_OPEN, &client), SUPDRV_OK);
	CHECK_EQUAL(opens_counted(&bench), 1);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	bench_teardown(&bench);
}
