// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the memory requests accept and answer, one at a time. */
#include "memory_client.h"

static int32_t pin(struct bench *bench, uintptr_t address, uint32_t size, uint32_t room)
{
	SUPPINPAGES_IN in = {bench->cookies[0], bench->cookies[1], (void *)address, size};
	uint8_t *out = calloc(room, sizeof(SUPPAGE));
	int32_t status = request(bench->session, SUP_IOCTL_PINPAGES, &in, sizeof(in), out,
				 room * sizeof(SUPPAGE));

	free(out);
	return status;
}

static int32_t cont_alloc(struct bench *bench, uint32_t size)
{
	SUPCONTALLOC_IN in = {bench->cookies[0], bench->cookies[1], size};
	SUPCONTALLOC_OUT out;

	return request(bench->session, SUP_IOCTL_CONT_ALLOC, &in, sizeof(in), &out, sizeof(out));
}

static int32_t low_alloc(struct bench *bench, uint32_t pages, uint32_t room)
{
	static uint8_t out[offsetof(SUPLOWALLOC_OUT, aPages) + 300 * sizeof(SUPPAGE)];
	SUPLOWALLOC_IN in = {bench->cookies[0], bench->cookies[1], pages};

	return request(bench->session, SUP_IOCTL_LOW_ALLOC, &in, sizeof(in), out,
		       offsetof(SUPLOWALLOC_OUT, aPages) + room * sizeof(SUPPAGE));
}

TEST(cont_takes_65_bytes_to_one_less_than_a_mebibyte)
{
	static const struct {
		uint32_t size;
		uint32_t pages; /* 0: refused */
	} cases[] = {{0, 0},	 {64, 0},	 {65, 1},      {4096, 1}, {4097, 2},
		     {15003, 4}, {1048575, 256}, {1048576, 0}, {~0u, 0}};
	struct bench bench;
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_setup(&bench, NULL, 0);
		CHECK_EQUAL(cont_alloc(&bench, cases[i].size), cases[i].pages ? 0 : -2);
		memory_check_counted(&bench, CONT, cases[i].pages ? 1 : 0, cases[i].pages);
		bench_teardown(&bench);
	}
}

TEST(low_takes_1_to_256_pages_that_have_room)
{
	static const struct {
		uint32_t pages;
		uint32_t room;
		int32_t status;
	} cases[] = {{0, 1, -2},
		     {1, 1, 0},
		     {1, 2, 0},
		     {2, 1, -2},
		     {256, 256, 0},
		     {256, 255, -2},
		     {257, 300, -2},
		     {~0u, 300, -2},
		     {0x10000000, 300, -2},
		     {0x10000001, 300, -2},
		     {0x80000001, 300, -2}};
	struct bench bench;
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_setup(&bench, NULL, 0);
		CHECK_EQUAL(low_alloc(&bench, cases[i].pages, cases[i].room), cases[i].status);
		memory_check_counted(&bench, LOW, cases[i].status ? 0 : 1,
				     cases[i].status ? 0 : cases[i].pages);
		bench_teardown(&bench);
	}
}

TEST(pins_are_of_whole_pages_that_have_room)
{
	static const struct {
		uintptr_t address;
		uint32_t size;
		uint32_t room;
		int32_t status;
	} cases[] = {{OWN_PAGES, PAGE, 1, 0},
		     {OWN_PAGES, PAGE, 9, 0},
		     {OWN_PAGES, 9 * PAGE, 9, 0},
		     {0, PAGE, 1, -2},
		     {OWN_PAGES, 0, 1, -2},
		     {OWN_PAGES, 1, 1, -2},
		     {OWN_PAGES, PAGE - 1, 1, -2},
		     {OWN_PAGES, PAGE + 1, 2, -2},
		     {OWN_PAGES, 2 * PAGE, 1, -2},
		     {OWN_PAGES + 1, PAGE, 1, -2},
		     {OWN_PAGES + PAGE / 2, PAGE, 2, -2},
		     {OWN_PAGES, 0xFFFFFFFF, 0xFFFFF, -2},
		     {OWN_PAGES, 0xFFFFF000, 0xFFFFE, -2},
		     {OWN_PAGES, 0x40000000, 0x40000, 0},
		     {OWN_PAGES, 0x40001000, 0x40001, SUPDRV_ERR_NO_MEMORY}};
	struct bench bench;
	uint32_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bench_setup(&bench, NULL, 0);
		CHECK_EQUAL(pin(&bench, cases[i].address, cases[i].size, cases[i].room),
			    cases[i].status);
		memory_check_counted(&bench, PIN, cases[i].status ? 0 : 1,
				     cases[i].status ? 0 : cases[i].size / PAGE);
		bench_teardown(&bench);
	}
}

TEST(pins_never_reach_around_the_address_space)
{
	const uintptr_t last = (uintptr_t)0 - PAGE;
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(pin(&bench, last, PAGE, 1), SUPDRV_OK);
	CHECK_EQUAL(pin(&bench, last, 2 * PAGE, 2), SUPDRV_ERR_LOCK_FAILED);
	CHECK_EQUAL(pin(&bench, last - PAGE, 2 * PAGE, 2), SUPDRV_OK);
	CHECK_EQUAL(pin(&bench, last - PAGE, 3 * PAGE, 3), SUPDRV_ERR_LOCK_FAILED);
	if (sizeof(uintptr_t) == 4)
		CHECK_EQUAL(pin(&bench, OWN_PAGES, 0xFFFFF000, 0xFFFFF), SUPDRV_ERR_LOCK_FAILED);
	memory_check_counted(&bench, PIN, 2, 3);
	bench_teardown(&bench);
}

TEST(what_the_system_says_of_a_pin_reaches_the_client)
{
	static const int32_t statuses[] = {SUPDRV_ERR_LOCK_FAILED, SUPDRV_ERR_NO_MEMORY};
	struct bench bench;
	int i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 2; i++) {
		host_pin_status = statuses[i];
		CHECK_EQUAL(memory_make(&bench, PIN, 3, false).status, statuses[i]);
		memory_check_none(&bench);
	}
	bench_teardown(&bench);
}

TEST(answers_are_as_long_as_the_pages_need)
{
	const uint32_t header = offsetof(SUPLOWALLOC_OUT, aPages);
	struct bench bench;
	uint32_t pages;

	bench_setup(&bench, NULL, 0);
	for (pages = 1; pages <= 5; pages++) {
		const uint32_t list = pages * sizeof(SUPPAGE);

		CHECK_EQUAL(memory_make(&bench, PIN, pages, false).copied, list);
		CHECK_EQUAL(memory_make(&bench, LOW, pages, false).copied, header + list);
		CHECK_EQUAL(memory_make(&bench, CONT, pages, false).copied,
			    sizeof(SUPCONTALLOC_OUT));
	}
	bench_teardown(&bench);
}

TEST(a_long_output_buffer_of_low_alloc_does_not_cost_kernel_memory)
{
	struct supdrv_call call;
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_call_prepare(bench.session, SUP_IOCTL_LOW_ALLOC, 12,
					SUPDRV_TRANSPORT_MAX, &call),
		    SUPDRV_OK);
	CHECK_EQUAL(call.buffer_size, offsetof(SUPLOWALLOC_OUT, aPages) + 256 * sizeof(SUPPAGE));
	bench_teardown(&bench);
}

TEST(page_lists_name_every_page_in_order)
{
	struct bench bench;
	SUPPAGE list[7];
	uint8_t out[sizeof(SUPLOWALLOC_OUT) + sizeof(list)];
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	SUPPINPAGES_IN in = {bench.cookies[0], bench.cookies[1], (void *)OWN_PAGES, 7 * PAGE};
	SUPLOWALLOC_IN low = {bench.cookies[0], bench.cookies[1], 7};

	CHECK_EQUAL(request(bench.session, SUP_IOCTL_PINPAGES, &in, sizeof(in), list, sizeof(list)),
		    0);
	for (i = 0; i < 7; i++)
		CHECK(list[i].Phys == list[0].Phys + i * PAGE && !list[i].uReserved);

	CHECK_EQUAL(
	    request(bench.session, SUP_IOCTL_LOW_ALLOC, &low, sizeof(low), out, sizeof(out)), 0);
	memcpy(list, out + offsetof(SUPLOWALLOC_OUT, aPages), sizeof(list));
	for (i = 0; i < 7; i++)
		CHECK(list[i].Phys == list[0].Phys + i * PAGE && !list[i].uReserved);
	bench_teardown(&bench);
}

TEST(cont_is_released_by_its_address_or_its_token)
{
	struct memory one, other;
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	one = memory_make(&bench, CONT, 2, false);
	other = memory_make(&bench, CONT, 3, false);
	CHECK(one.token != other.token && one.token % 2 && other.token % 2);
	CHECK_EQUAL(memory_release(&bench, LOW, one.token), -2);
	CHECK_EQUAL(memory_release(&bench, CONT, one.token + 1), -2);
	CHECK_EQUAL(memory_release(&bench, CONT, one.token), SUPDRV_OK);
	memory_check_counted(&bench, CONT, 1, 3);
	CHECK_EQUAL(memory_release(&bench, CONT, one.address), -2);
	CHECK_EQUAL(memory_release(&bench, CONT, other.address), SUPDRV_OK);
	CHECK_EQUAL(memory_release(&bench, CONT, other.token), -2);
	memory_check_none(&bench);
	bench_teardown(&bench);
}

TEST(tokens_of_cont_differ_even_if_the_generator_repeats_itself)
{
	static uintptr_t tokens[1000];
	struct bench bench;
	uint32_t i, j;

	host_random_fix(0xFF);
	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 1000; i++) {
		tokens[i] = memory_make(&bench, CONT, 1, false).token;
		CHECK(tokens[i] != (uintptr_t)bench.identity.pSession);
		for (j = 0; j < i; j++)
			CHECK(tokens[i] != tokens[j]);
	}
	bench_teardown(&bench);
}
