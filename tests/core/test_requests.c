// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "host.h"
#include "supdrv_image.h"

#define HEADER offsetof(SUPQUERYFUNCS_OUT, aFunctions)

static uint8_t out[4096];

TEST(cookie_answers_with_version_and_function_count)
{
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(bench.identity.u32Version, SUPDRVIOC_VERSION);
	CHECK_EQUAL(bench.identity.cFunctions, SUPDRV_FUNCTION_COUNT);
	CHECK(!memcmp(&bench.identity,
		      &(SUPCOOKIE_OUT){bench.cookies[0], bench.cookies[1], SUPDRVIOC_VERSION,
				       SUPDRV_FUNCTION_COUNT, bench.identity.pSession},
		      sizeof(SUPCOOKIE_OUT)));
	bench_teardown(&bench);
}

TEST(cookie_refuses_every_other_magic_before_it_looks_at_the_version)
{
	const uint32_t out_size = sizeof(SUPCOOKIE_OUT);
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 16; i++) {
		SUPCOOKIE_IN in = {SUPCOOKIE_MAGIC, i % 2 ? SUPDRVIOC_VERSION : 0};

		in.szMagic[i] ^= 0x20;
		CHECK_EQUAL(request(bench.session, SUP_IOCTL_COOKIE, &in, 20, out, out_size), -3);
	}
	bench_teardown(&bench);
}

TEST(cookie_refuses_every_other_version)
{
	static const uint32_t versions[] = {0,		0x00030000, 0x00030002, 0x00040001,
					    0x00010003, 0x01000300, ~0u};
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < sizeof(versions) / 4; i++) {
		SUPCOOKIE_IN in = {SUPCOOKIE_MAGIC, versions[i]};

		CHECK_EQUAL(
		    request(bench.session, SUP_IOCTL_COOKIE, &in, 20, out, sizeof(SUPCOOKIE_OUT)),
		    SUPDRV_ERR_VERSION_MISMATCH);
	}
	bench_teardown(&bench);
}

TEST(query_funcs_returns_as_many_as_there_is_room_for)
{
	const uint32_t all = SUPDRV_FUNCTION_COUNT;
	struct bench bench;
	uint32_t room;

	bench_setup(&bench, NULL, 0);
	for (room = 1; room < all + 6; room++) {
		uint32_t count = room < all ? room : all;
		struct client client = {bench.cookies, 8, out, HEADER + room * sizeof(SUPFUNC) + 3,
					false,	       0};

		CHECK_EQUAL(client_request(bench.session, SUP_IOCTL_QUERY_FUNCS, &client), 0);
		CHECK_EQUAL(client.copied, HEADER + count * sizeof(SUPFUNC));
		CHECK_EQUAL(((SUPQUERYFUNCS_OUT *)out)->cFunctions, count);
	}
	bench_teardown(&bench);
}

TEST(query_funcs_names_and_tokens_are_unique_and_padding_is_zero)
{
	static const char zeros[32];
	SUPFUNC functions[SUPDRV_FUNCTION_COUNT];
	struct bench bench;
	uint32_t i, j;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(request(bench.session, SUP_IOCTL_QUERY_FUNCS, bench.cookies, 8, out, 4096), 0);
	CHECK(!memcmp(out + 4, zeros, HEADER - 4));
	memcpy(functions, out + HEADER, sizeof(functions));
	for (i = 0; i < SUPDRV_FUNCTION_COUNT; i++) {
		size_t length = strnlen(functions[i].szName, 32);

		CHECK(length > 0 && length < 32);
		CHECK(!memcmp(functions[i].szName + length, zeros, 32 - length));
		CHECK((uintptr_t)functions[i].pfn % 2);
		for (j = 0; j < i; j++) {
			CHECK(strcmp(functions[i].szName, functions[j].szName));
			CHECK(functions[i].pfn != functions[j].pfn);
		}
	}
	bench_teardown(&bench);
}

TEST(query_funcs_tokens_differ_even_if_the_generator_repeats_itself)
{
	SUPFUNC functions[SUPDRV_FUNCTION_COUNT];
	struct bench bench;
	uint32_t i;

	host_random_fix(0xFF);
	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(request(bench.session, SUP_IOCTL_QUERY_FUNCS, bench.cookies, 8, out, 4096), 0);
	memcpy(functions, out + HEADER, sizeof(functions));
	for (i = 1; i < SUPDRV_FUNCTION_COUNT; i++)
		CHECK((uintptr_t)functions[i].pfn > (uintptr_t)functions[i - 1].pfn);
	bench_teardown(&bench);
}

TEST(idt_requests_change_nothing_and_say_so)
{
	struct bench bench;
	uint8_t idt = 0;
	int i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 2; i++)
		CHECK_EQUAL(
		    request(bench.session, SUP_IOCTL_IDT_INSTALL, bench.cookies, 8, &idt, 1), 0);
	CHECK_EQUAL(idt, 3);
	for (i = 0; i < 3; i++)
		CHECK_EQUAL(request(bench.session, SUP_IOCTL_IDT_REMOVE, bench.cookies, 8, NULL, 0),
			    0);
	bench_teardown(&bench);
}

TEST(paging_mode_follows_the_control_registers)
{
	const uint64_t pe = 1, pg = 0x80000000, pae = 0x20, pge = 0x80, lma = 0x400, nxe = 0x800;
	const uint32_t nx = 1u << 20, lm = 1u << 29;
	const struct {
		struct supdrv_paging cpu;
		uint32_t mode;
	} cases[] = {
	    {{0, pae | pge, lma | nxe, nx | lm}, 0},
	    {{pe, pae | pge, lma | nxe, nx | lm}, 0},
	    {{pg, pae | pge, lma | nxe, nx | lm}, 0},
	    {{pe | pg, 0, lma | nxe, nx | lm}, 1},
	    {{pe | pg, pge, lma | nxe, nx | lm}, 2},
	    {{pe | pg, pae, 0, nx | lm}, 3},
	    {{pe | pg, pae, lma | nxe, 0}, 3},
	    {{pe | pg, pae, nxe, lm}, 3},
	    {{pe | pg, pae, lma, nx}, 3},
	    {{pe | pg, pae | pge, 0, nx | lm}, 4},
	    {{pe | pg, pae, nxe, nx}, 5},
	    {{pe | pg, pae | pge, nxe, nx | lm}, 6},
	    {{pe | pg, pae, lma, nx | lm}, 7},
	    {{pe | pg, pae | pge, lma | nxe, lm}, 8},
	    {{pe | pg, pae, lma | nxe, nx | lm}, 9},
	    {{pe | pg, pae | pge, lma | nxe, nx | lm}, 10},
	    {{~0ull, ~0ull, ~0ull, ~0u}, 10},
	};
	struct bench bench;
	uint32_t i, mode;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		host_paging = cases[i].cpu;
		CHECK_EQUAL(
		    request(bench.session, SUP_IOCTL_GET_PAGING_MODE, bench.cookies, 8, &mode, 4),
		    0);
		CHECK_EQUAL(mode, cases[i].mode);
	}
	bench_teardown(&bench);
}

static int32_t set_vm(struct bench *bench, uintptr_t vm)
{
	SUPSETVMFORFAST_IN in = {bench->cookies[0], bench->cookies[1], vm};

	return request(bench->session, SUP_IOCTL_SET_VM_FOR_FAST, &in, sizeof(in), NULL, 0);
}

TEST(set_vm_takes_null_and_page_addresses_and_nothing_else)
{
	const uintptr_t end = 0;
	const uintptr_t good[] = {0, 4096, 0x7FFFF000, end - 8192};
	const uintptr_t bad[] = {1, 0xFFF, 4097, 0x7FFFF800, end - 8191, end - 4096, end - 1};
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		CHECK_EQUAL(set_vm(&bench, good[i]), SUPDRV_OK);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK_EQUAL(set_vm(&bench, bad[i]), SUPDRV_ERR_INVALID_POINTER);
	/* A refused value leaves the last good one. */
	CHECK(bench.session->vm == end - 8192);
	bench_teardown(&bench);
}

static int32_t SUPDRV_CALLBACK entry(uintptr_t vm, uint32_t operation, void *argument)
{
	CHECK(vm == 0x5000 && !argument);
	return operation == VMMR0_DO_NOP ? 0 : -100 - (int32_t)operation;
}

TEST(fast_requests_need_a_vm_and_an_entry)
{
	static const uint32_t numbers[] = {SUP_IOCTL_FAST_DO_RAW_RUN, SUP_IOCTL_FAST_DO_HWACC_RUN,
					   SUP_IOCTL_FAST_DO_NOP};
	static const int32_t results[] = {-100, -101, 0};
	struct supdrv_image image = {.references = 1, .state = SUPDRV_IMAGE_LOADED, .entry = entry};
	struct bench bench;
	int32_t result;
	int i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < 3; i++) {
		bench.device->vmmr0 = NULL;
		CHECK_EQUAL(set_vm(&bench, 0), SUPDRV_OK);
		CHECK(supdrv_fast_run(bench.session, numbers[i], &result) && result == -32);
		CHECK_EQUAL(set_vm(&bench, 0x5000), SUPDRV_OK);
		CHECK(supdrv_fast_run(bench.session, numbers[i], &result) && result == -32);
		bench.device->vmmr0 = &image;
		CHECK(supdrv_fast_run(bench.session, numbers[i], &result));
		CHECK_EQUAL(result, results[i]);
		CHECK_EQUAL(set_vm(&bench, 0), SUPDRV_OK);
		CHECK(supdrv_fast_run(bench.session, numbers[i], &result) && result == -32);
	}
	CHECK_EQUAL(image.references, 1);
	bench.device->vmmr0 = NULL;
	bench_teardown(&bench);
}

TEST(fast_numbers_are_not_slow_ones_and_the_other_way_round)
{
	struct supdrv_call call;
	struct bench bench;
	int32_t result;

	bench_setup(&bench, NULL, 0);
	CHECK(!supdrv_fast_run(bench.session, SUP_IOCTL_COOKIE, &result));
	CHECK(!supdrv_fast_run(bench.session, SUP_CTL_CODE_FAST(63), &result));
	CHECK(!supdrv_fast_run(bench.session, SUP_CTL_CODE_FAST(67), &result));
	CHECK(!supdrv_fast_run(bench.session, SUP_CTL_CODE(66), &result));
	CHECK_EQUAL(supdrv_call_prepare(bench.session, SUP_IOCTL_FAST_DO_NOP, 0, 0, &call), -1);
	bench_teardown(&bench);
}
