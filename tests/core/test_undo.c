// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Extra requests, and taking back what one made. */
#include "host.h"

static uint8_t in[16], out[4];
static uint64_t undone;

static void undo_note(struct supdrv_session *session, uint64_t key)
{
	(void)session;
	undone += key;
}

static int32_t extra_make(struct supdrv_session *session, struct supdrv_call *call)
{
	uint32_t wanted = ((const uint32_t *)call->buffer)[2];
	uint32_t *answer;

	(void)session;
	if (!wanted) {
		supdrv_call_output(call, 4);
		return SUPDRV_ERR_NO_MEMORY;
	}
	answer = supdrv_call_output(call, 4);
	*answer = wanted;
	call->undo = undo_note;
	call->undo_key = wanted;
	return SUPDRV_OK;
}

static const struct supdrv_request extra = {
    .number = SUP_CTL_CODE(99),
    .in_min = 12,
    .in_max = 16,
    .out_min = 4,
    .out_max = 4,
    .out_most = 4,
    .handle = extra_make,
};

TEST(what_a_request_made_is_taken_back_when_its_answer_cannot_be_delivered)
{
	struct client client = {in, 12, out, 4, true, 0};
	struct bench bench;

	bench_setup(&bench, &extra, 1);
	memcpy(in, bench.cookies, 8);
	in[8] = 42;
	CHECK_EQUAL(client_request(bench.session, extra.number, &client), SUPDRV_OK);
	CHECK_EQUAL(undone, 42);
	client.out_faults = false;
	CHECK_EQUAL(client_request(bench.session, extra.number, &client), SUPDRV_OK);
	CHECK_EQUAL(undone, 42);
	bench_teardown(&bench);
}

TEST(undo_happens_once_and_does_nothing_for_requests_that_made_nothing)
{
	struct supdrv_call call;
	struct bench bench;
	uint32_t block[3];

	bench_setup(&bench, &extra, 1);
	memcpy(block, bench.cookies, 8);
	block[2] = 5;
	CHECK_EQUAL(supdrv_call_prepare(bench.session, extra.number, 12, 4, &call), SUPDRV_OK);
	call.buffer = block;
	CHECK_EQUAL(supdrv_call_run(bench.session, &call), SUPDRV_OK);
	supdrv_call_undo(bench.session, &call);
	supdrv_call_undo(bench.session, &call);
	CHECK_EQUAL(undone, 5);

	memcpy(block, bench.cookies, 8);
	CHECK_EQUAL(supdrv_call_prepare(bench.session, SUP_IOCTL_IDT_INSTALL, 8, 1, &call), 0);
	call.buffer = block;
	CHECK_EQUAL(supdrv_call_run(bench.session, &call), SUPDRV_OK);
	supdrv_call_undo(bench.session, &call);
	CHECK_EQUAL(undone, 5);
	bench_teardown(&bench);
}

TEST(a_failed_request_returns_no_bytes)
{
	struct client client = {in, 12, out, 4, false, 0};
	struct bench bench;

	bench_setup(&bench, &extra, 1);
	memset(in, 0, sizeof(in));
	memcpy(in, bench.cookies, 8);
	CHECK_EQUAL(client_request(bench.session, extra.number, &client), SUPDRV_ERR_NO_MEMORY);
	CHECK_EQUAL(client.copied, 0);
	bench_teardown(&bench);
}

TEST(an_extra_table_cannot_replace_a_request)
{
	static const struct supdrv_request shadow = {.number = SUP_IOCTL_COOKIE,
						     .handle = extra_make};
	struct bench bench;

	bench_setup(&bench, &shadow, 1);
	CHECK_EQUAL(request(bench.session, SUP_IOCTL_COOKIE, NULL, 0, NULL, 0), -2);
	bench_teardown(&bench);
}
