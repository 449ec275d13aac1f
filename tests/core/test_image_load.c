// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* LDR_LOAD, LDR_GET_SYMBOL and CALL_VMMR0 where images are data. */
#include "image_client.h"

#define SIZE	 256u
#define SYMBOLS	 64u
#define STRINGS	 128u
#define NO_ENTRY ((void *)1) /* never looked at */

/* Two symbols at SYMBOLS whose names are at STRINGS. */
static void add_symbols(struct loading *loading)
{
	const SUPLDRSYM symbols[] = {{0, 10}, {6, 20}};
	uint8_t *image = (uint8_t *)loading + offsetof(SUPLDRLOAD_IN, achImage);

	memcpy(image + SYMBOLS, symbols, sizeof(symbols));
	memcpy(image + STRINGS, "first\0second", 13);
	loading->in.offSymbols = SYMBOLS;
	loading->in.cSymbols = 2;
	loading->in.offStrTab = STRINGS;
	loading->in.cbStrTab = 13;
}

TEST(a_loaded_image_is_loaded_for_every_session_and_once)
{
	struct supdrv_session *other;
	struct loading loading;
	SUPLDROPEN_OUT out;
	struct bench bench;
	uintptr_t base;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &other), SUPDRV_OK);
	base = image_open_well(bench.session, "a", SIZE);
	loading_init(&loading, base, SIZE);
	CHECK_EQUAL(image_load(other, &loading), SUPDRV_ERR_INVALID_HANDLE);
	image_open_well(other, "a", SIZE);
	CHECK_EQUAL(image_load(other, &loading), SUPDRV_OK);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_ALREADY_LOADED);
	CHECK_EQUAL(image_open(bench.session, "a", SIZE, &out), SUPDRV_OK);
	CHECK(!out.fNeedsLoading);
	supdrv_session_close(other);
	bench_teardown(&bench);
}

TEST(symbols_are_found_by_their_whole_name)
{
	struct loading loading;
	struct bench bench;
	uintptr_t base, address;

	bench_setup(&bench, NULL, 0);
	base = image_open_well(bench.session, "a", SIZE);
	CHECK_EQUAL(image_symbol(bench.session, base, "first", &address), -9);
	loading_init(&loading, base, SIZE);
	add_symbols(&loading);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(image_symbol(bench.session, base, "first", &address), SUPDRV_OK);
	CHECK(address == base + 10);
	CHECK_EQUAL(image_symbol(bench.session, base, "second", &address), SUPDRV_OK);
	CHECK(address == base + 20);
	CHECK_EQUAL(image_symbol(bench.session, base, "secon", &address), -1);
	CHECK_EQUAL(image_symbol(bench.session, base, "seconds", &address), -1);
	CHECK_EQUAL(image_symbol(bench.session, base, "", &address), -1);
	CHECK_EQUAL(image_symbol(bench.session, base + 1, "first", &address), -4);
	bench_teardown(&bench);
}

/* Each value breaks one check of the tables, and the load after it is right. */
TEST(tables_that_are_not_inside_the_image_are_refused)
{
	static const struct {
		uint32_t symbols, count, strings, length;
		bool good;
	} rows[] = {
	    {SYMBOLS, 16385, STRINGS, 13, false},
	    {SIZE, 1, STRINGS, 13, false},
	    {SIZE - 8, 1, STRINGS, 13, false}, /* int3 is no offset */
	    {SIZE - 7, 1, STRINGS, 13, false},
	    {~0u - 7, 1, STRINGS, 13, false},
	    {~0u, 2, STRINGS, 13, false},
	    {SYMBOLS, 25, STRINGS, 13, false},
	    {SYMBOLS, 2, SIZE, 1, false},
	    {SYMBOLS, 2, SIZE - 12, 13, false},
	    {SYMBOLS, 2, STRINGS, ~0u, false},
	    {SYMBOLS, 2, STRINGS, ~0u - STRINGS + 1, false},
	    {SYMBOLS, 2, ~0u, 2, false},
	    {SYMBOLS, 2, STRINGS, 0, false},
	    {SYMBOLS, 2, STRINGS, 12, false}, /* "second" does not end */
	    {SYMBOLS, 2, STRINGS, 6, false},  /* "second" does not begin */
	    {SYMBOLS, 1, STRINGS, 6, true},
	    {SYMBOLS, 1, STRINGS, 5, false},
	    {~0u, 0, ~0u, 0, true}, /* offsets of empty tables are not looked at */
	    {~0u, 0, STRINGS, SIZE - STRINGS, true},
	    {SYMBOLS, 2, STRINGS, 13, true},
	};
	struct loading loading;
	struct bench bench;
	uintptr_t base;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		base = image_open_well(bench.session, "a", SIZE);
		loading_init(&loading, base, SIZE);
		add_symbols(&loading);
		loading.in.offSymbols = rows[i].symbols;
		loading.in.cSymbols = rows[i].count;
		loading.in.offStrTab = rows[i].strings;
		loading.in.cbStrTab = rows[i].length;
		CHECK_EQUAL(image_load(bench.session, &loading), rows[i].good ? 0 : -2);
		add_symbols(&loading);
		CHECK_EQUAL(image_load(bench.session, &loading), rows[i].good ? -9 : 0);
		CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	}
	bench_teardown(&bench);
}

TEST(the_size_of_an_image_is_compared_with_the_request_and_with_its_open)
{
	static const uint32_t beyond[] = {SIZE + 1, ~0u, ~0u - 71, ~0u - 51, 16u << 20};
	struct loading loading;
	struct bench bench;
	uintptr_t base;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	base = image_open_well(bench.session, "a", SIZE);
	loading_init(&loading, base, SIZE);
	for (i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
		loading.in.cbImage = beyond[i];
		CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	}
	loading.in.cbImage = SIZE - 1;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_HANDLE);
	loading.in.cbImage = 0;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_HANDLE);
	loading.in.cbImage = SIZE;
	loading.size += 100; /* more than the image is ignored */
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(entry_and_callbacks_must_be_inside_the_image)
{
	struct loading loading, good;
	struct bench bench;
	uintptr_t base;

	bench_setup(&bench, NULL, 0);
	base = image_open_well(bench.session, "a", SIZE);
	loading_init(&good, base, SIZE);
	loading_set_entry(&good, 0);
	loading = good;
	loading.in.eEPType = 2;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading = good;
	loading.in.EP.VMMR0.pvVMMR0 = NULL;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading.in.EP.VMMR0.pvVMMR0 = (void *)(base + 1);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading = good;
	loading.in.EP.VMMR0.pvVMMR0Entry = NULL;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading_set_entry(&loading, SIZE);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading = good;
	loading.in.pfnModuleInit = (PFNR0MODULEINIT)(base + SIZE);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading.in.pfnModuleInit = (PFNR0MODULEINIT)(base - 1);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading.in.pfnModuleInit = (PFNR0MODULEINIT)base;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_PERMISSION_DENIED);
	loading.in.pfnModuleTerm = (PFNR0MODULETERM)(base + SIZE);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_INVALID_PARAM);
	loading = good;
	loading.in.pfnModuleTerm = (PFNR0MODULETERM)(base + SIZE - 1);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_PERMISSION_DENIED);
	CHECK(!bench.device->vmmr0);
	loading_set_entry(&good, SIZE - 1);
	CHECK_EQUAL(image_load(bench.session, &good), SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(without_an_entry_its_addresses_are_not_looked_at)
{
	struct loading loading;
	struct bench bench;
	int32_t result;

	bench_setup(&bench, NULL, 0);
	loading_init(&loading, image_open_well(bench.session, "a", 1), 1);
	loading.in.EP.VMMR0.pvVMMR0 = NO_ENTRY;
	loading.in.EP.VMMR0.pvVMMR0Entry = NO_ENTRY;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(vmmr0_call(bench.session, VMMR0_DO_NOP, &result), SUPDRV_ERR_GENERAL_FAILURE);
	bench_teardown(&bench);
}

TEST(calls_go_to_the_built_in_entry_while_an_image_is_registered)
{
	static const uint32_t unknown[] = {0, 1, 13, 16, 0x7FFFFFFF, 0x80000000, ~0u};
	struct loading loading, second;
	struct bench bench;
	uintptr_t base;
	int32_t result;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	base = image_open_well(bench.session, "a", SIZE);
	loading_init(&loading, base, SIZE);
	loading_set_entry(&loading, 0);
	CHECK_EQUAL(vmmr0_call(bench.session, VMMR0_DO_NOP, &result), SUPDRV_ERR_GENERAL_FAILURE);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(vmmr0_call(bench.session, VMMR0_DO_NOP, &result), SUPDRV_OK);
	CHECK_EQUAL(result, 0);
	CHECK_EQUAL(vmmr0_call(bench.session, VMMR0_DO_TESTS, &result), SUPDRV_OK);
	CHECK_EQUAL(result, 0);
	for (i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		CHECK_EQUAL(vmmr0_call(bench.session, unknown[i], &result), SUPDRV_OK);
		CHECK_EQUAL(result, -37);
	}

	loading_init(&second, image_open_well(bench.session, "b", SIZE), SIZE);
	loading_set_entry(&second, 0);
	CHECK_EQUAL(image_load(bench.session, &second), SUPDRV_ERR_INVALID_PARAM);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	CHECK_EQUAL(vmmr0_call(bench.session, VMMR0_DO_NOP, &result), SUPDRV_ERR_GENERAL_FAILURE);
	CHECK_EQUAL(image_load(bench.session, &second), SUPDRV_OK);
	CHECK_EQUAL(vmmr0_call(bench.session, VMMR0_DO_NOP, &result), SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(a_load_without_memory_can_be_tried_again)
{
	struct loading loading;
	struct bench bench;
	uintptr_t base, address;
	long live;

	bench_setup(&bench, NULL, 0);
	base = image_open_well(bench.session, "a", SIZE);
	loading_init(&loading, base, SIZE);
	add_symbols(&loading);
	loading_set_entry(&loading, 0);
	live = host_alloc_live;
	host_alloc_budget = 0;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_NO_MEMORY);
	host_alloc_budget = -1;
	CHECK_EQUAL(host_alloc_live, live);
	CHECK(!bench.device->vmmr0);
	CHECK_EQUAL(image_symbol(bench.session, base, "first", &address), -9);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(image_symbol(bench.session, base, "first", &address), SUPDRV_OK);
	bench_teardown(&bench);
}

/* xorshift: the sanitizers look for reads beyond the request and the tables. */
TEST(random_tables_never_make_the_driver_read_elsewhere)
{
	uint64_t state = 88172645463325252u;
	struct loading loading;
	struct bench bench;
	uintptr_t base, address;
	uint32_t round, i;

	bench_setup(&bench, NULL, 0);
	for (round = 0; round < 20000; round++) {
		uint32_t values[4];
		uint8_t *image = (uint8_t *)&loading + offsetof(SUPLDRLOAD_IN, achImage);

		base = image_open_well(bench.session, "a", SIZE);
		loading_init(&loading, base, SIZE);
		for (i = 0; i < SIZE + 4; i++) {
			state ^= state << 13;
			state ^= state >> 7;
			state ^= state << 17;
			if (i < SIZE)
				image[i] = state >> 40 & 3 ? 0 : (uint8_t)(state >> 32);
			else
				values[i - SIZE] = (uint32_t)(state >> 32) >> (state & 31);
		}
		loading.in.offSymbols = values[0];
		loading.in.cSymbols = values[1] % 40;
		loading.in.offStrTab = values[2];
		loading.in.cbStrTab = values[3];
		if (image_load(bench.session, &loading) == SUPDRV_OK)
			image_symbol(bench.session, base, "x", &address);
		image_free(bench.session, base);
	}
	bench_teardown(&bench);
}
