// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Images that run: here they are jumps to functions of this file. */
#include "image_client.h"

#define SIZE   128u
#define INIT   0u
#define TERM   32u
#define ENTRY  64u
#define SYMBOL 96u
#define NAME   104u

static struct bench bench;
static uintptr_t base;
static int init_calls, term_calls, entry_calls;
static int init_result;
static struct loading nested;

static int SUPDRV_CALLBACK on_init(void)
{
	CHECK_EQUAL(host_locks_held, 0);
	init_calls++;
	return init_result;
}

static void SUPDRV_CALLBACK on_term(void)
{
	CHECK_EQUAL(host_locks_held, 0);
	term_calls++;
}

static int32_t SUPDRV_CALLBACK on_entry(uintptr_t vm, uint32_t operation, void *argument)
{
	CHECK_EQUAL(host_locks_held, 0);
	CHECK(!argument);
	entry_calls++;
	return (int32_t)(vm + operation);
}

/* mov eax/rax, target; jmp eax/rax */
static void jump_to(struct loading *loading, uint32_t offset, uintptr_t target)
{
	uint8_t *code = (uint8_t *)loading + offsetof(SUPLDRLOAD_IN, achImage) + offset;

	if (sizeof(target) == 8)
		*code++ = 0x48;
	*code++ = 0xB8;
	memcpy(code, &target, sizeof(target));
	memcpy(code + sizeof(target), "\xFF\xE0", 2);
}

/* A symbol "entry", so that there is a table to be kept or freed. */
static void add_symbol(struct loading *loading)
{
	const SUPLDRSYM symbol = {0, ENTRY};
	uint8_t *image = (uint8_t *)loading + offsetof(SUPLDRLOAD_IN, achImage);

	memcpy(image + SYMBOL, &symbol, sizeof(symbol));
	memcpy(image + NAME, "entry", 6);
	loading->in.offSymbols = SYMBOL;
	loading->in.cSymbols = 1;
	loading->in.offStrTab = NAME;
	loading->in.cbStrTab = 6;
}

/* An image that jumps to init, and to the functions above for the rest. */
static void prepare(struct loading *loading, FNR0MODULEINIT *init)
{
	base = image_open_well(bench.session, "running", SIZE);
	loading_init(loading, base, SIZE);
	loading_set_entry(loading, ENTRY);
	add_symbol(loading);
	loading->in.pfnModuleInit = (PFNR0MODULEINIT)(base + INIT);
	loading->in.pfnModuleTerm = (PFNR0MODULETERM)(base + TERM);
	jump_to(loading, INIT, (uintptr_t)init);
	jump_to(loading, TERM, (uintptr_t)on_term);
	jump_to(loading, ENTRY, (uintptr_t)on_entry);
}

static void setup(void)
{
	const struct supdrv_config config = {.ring0_images = true};

	bench_setup_as(&bench, &config);
}

TEST(init_entry_and_term_are_called)
{
	struct loading loading;
	int32_t result;

	setup();
	prepare(&loading, on_init);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(init_calls, 1);
	CHECK_EQUAL(vmmr0_call(bench.session, 42, &result), SUPDRV_OK);
	CHECK_EQUAL(result, 42);
	CHECK_EQUAL(term_calls, 0);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	CHECK_EQUAL(term_calls, 1);
	CHECK_EQUAL(init_calls, 1);
	CHECK_EQUAL(entry_calls, 1);
	bench_teardown(&bench);
}

TEST(term_is_called_when_the_last_session_closes)
{
	struct loading loading;

	setup();
	prepare(&loading, on_init);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	bench_teardown(&bench);
	CHECK_EQUAL(term_calls, 1);
}

TEST(the_result_of_a_failed_init_is_the_requests_and_the_image_can_be_loaded_again)
{
	static const int results[] = {-1, -8, 1, -1000};
	struct loading loading;
	int32_t result;
	uint32_t i;

	setup();
	prepare(&loading, on_init);
	for (i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		init_result = results[i];
		CHECK_EQUAL(image_load(bench.session, &loading), results[i]);
		CHECK_EQUAL(vmmr0_call(bench.session, 0, &result), SUPDRV_ERR_GENERAL_FAILURE);
	}
	CHECK_EQUAL(term_calls, 0);
	init_result = 0;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(vmmr0_call(bench.session, 0, &result), SUPDRV_OK);
	bench_teardown(&bench);
	CHECK_EQUAL(term_calls, 1);
}

TEST(an_image_that_cannot_be_sealed_does_not_run)
{
	struct loading loading;

	setup();
	prepare(&loading, on_init);
	host_seal_budget = 0;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_ERR_NO_MEMORY);
	host_seal_budget = -1;
	CHECK_EQUAL(init_calls, 0);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	bench_teardown(&bench);
}

static int SUPDRV_CALLBACK init_that_looks_around(void)
{
	struct loading second;
	SUPLDROPEN_OUT out;
	uintptr_t address;
	int32_t result;

	CHECK_EQUAL(image_load(bench.session, &nested), SUPDRV_ERR_ALREADY_LOADED);
	CHECK_EQUAL(image_symbol(bench.session, base, "a", &address), SUPDRV_ERR_ALREADY_LOADED);
	CHECK_EQUAL(vmmr0_call(bench.session, 0, &result), SUPDRV_ERR_GENERAL_FAILURE);
	CHECK_EQUAL(image_open(bench.session, "running", SIZE, &out), SUPDRV_OK);
	CHECK(out.fNeedsLoading);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	loading_init(&second, image_open_well(bench.session, "second", SIZE), SIZE);
	loading_set_entry(&second, 0);
	CHECK_EQUAL(image_load(bench.session, &second), SUPDRV_ERR_INVALID_PARAM);
	second.in.eEPType = EP_NOTHING;
	CHECK_EQUAL(image_load(bench.session, &second), SUPDRV_OK);
	return on_init();
}

TEST(during_init_the_image_is_neither_open_nor_loaded)
{
	struct loading loading;

	setup();
	prepare(&loading, init_that_looks_around);
	nested = loading;
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(init_calls, 1);
	bench_teardown(&bench);
	CHECK_EQUAL(term_calls, 1);
}

static int SUPDRV_CALLBACK init_that_frees_its_image(void)
{
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_ERR_INVALID_HANDLE);
	CHECK_EQUAL(images_counted(&bench), 1);
	CHECK_EQUAL(term_calls, 0);
	/* The name is free for another image while this one is still running. */
	CHECK(image_open_well(bench.session, "running", SIZE) != base);
	return on_init();
}

TEST(an_image_that_is_freed_during_its_init_ends_after_it)
{
	struct loading loading;
	int32_t result;

	setup();
	prepare(&loading, init_that_frees_its_image);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(term_calls, 1);
	CHECK_EQUAL(images_counted(&bench), 1);
	CHECK_EQUAL(vmmr0_call(bench.session, 0, &result), SUPDRV_ERR_GENERAL_FAILURE);
	bench_teardown(&bench);
}

TEST(an_image_that_is_freed_during_a_failing_init_has_no_term)
{
	struct loading loading;

	setup();
	init_result = -5;
	prepare(&loading, init_that_frees_its_image);
	CHECK_EQUAL(image_load(bench.session, &loading), -5);
	CHECK_EQUAL(term_calls, 0);
	bench_teardown(&bench);
}

static int32_t SUPDRV_CALLBACK entry_that_frees_its_image(uintptr_t vm, uint32_t operation,
							  void *argument)
{
	CHECK_EQUAL(image_free(bench.session, base), SUPDRV_OK);
	CHECK_EQUAL(term_calls, 0);
	CHECK_EQUAL(images_counted(&bench), 1);
	return on_entry(vm, operation, argument);
}

TEST(an_image_that_is_freed_during_a_call_ends_after_it)
{
	struct loading loading;
	int32_t result;

	setup();
	prepare(&loading, on_init);
	jump_to(&loading, ENTRY, (uintptr_t)entry_that_frees_its_image);
	CHECK_EQUAL(image_load(bench.session, &loading), SUPDRV_OK);
	CHECK_EQUAL(vmmr0_call(bench.session, 7, &result), SUPDRV_OK);
	CHECK_EQUAL(result, 7);
	CHECK_EQUAL(term_calls, 1);
	CHECK_EQUAL(images_counted(&bench), 0);
	CHECK_EQUAL(vmmr0_call(bench.session, 7, &result), SUPDRV_ERR_GENERAL_FAILURE);
	bench_teardown(&bench);
}

TEST(an_image_that_was_never_loaded_has_no_term)
{
	struct loading loading;

	setup();
	prepare(&loading, on_init);
	bench_teardown(&bench);
	CHECK_EQUAL(init_calls + term_calls, 0);
}

TEST(images_that_run_are_at_their_address_and_functions_have_theirs)
{
	union {
		SUPQUERYFUNCS_OUT out;
		uint8_t room[offsetof(SUPQUERYFUNCS_OUT, aFunctions) +
			     SUPDRV_FUNCTION_COUNT * sizeof(SUPFUNC)];
	} functions;
	struct loading loading;
	uint32_t i;

	setup();
	prepare(&loading, on_init);
	CHECK(base == (uintptr_t)bench.device->images->memory);
	CHECK_EQUAL(request(bench.session, SUP_IOCTL_QUERY_FUNCS, bench.cookies, 8, &functions,
			    sizeof(functions)),
		    SUPDRV_OK);
	for (i = 0; i < SUPDRV_FUNCTION_COUNT; i++) {
		SUPFUNC function;

		memcpy(&function,
		       functions.room + offsetof(SUPQUERYFUNCS_OUT, aFunctions) +
			   i * sizeof(function),
		       sizeof(function));
		CHECK((uintptr_t)function.pfn == supdrv_os_function(i));
	}
	bench_teardown(&bench);
}
