// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "host.h"

#define WITH_COOKIES 1
#define AT_LEAST     2
#define IN_AT_LEAST  4

/* The interface's description of sizes, written down a second time. */
static const struct {
	uint32_t number;
	uint32_t in;
	uint32_t out;
	uint32_t flags;
} rows[] = {
    {SUP_IOCTL_COOKIE, 20, sizeof(void *) == 8 ? 24 : 20, 0},
    {SUP_IOCTL_QUERY_FUNCS, 8, sizeof(void *) == 8 ? 48 : 40, WITH_COOKIES | AT_LEAST},
    {SUP_IOCTL_IDT_INSTALL, 8, 1, WITH_COOKIES},
    {SUP_IOCTL_IDT_REMOVE, 8, 0, WITH_COOKIES},
    {SUP_IOCTL_PINPAGES, sizeof(void *) == 8 ? 24 : 16, sizeof(void *) == 8 ? 16 : 12,
     WITH_COOKIES | AT_LEAST},
    {SUP_IOCTL_UNPINPAGES, sizeof(void *) == 8 ? 16 : 12, 0, WITH_COOKIES},
    {SUP_IOCTL_CONT_ALLOC, 12, sizeof(void *) == 8 ? 24 : 16, WITH_COOKIES | AT_LEAST},
    {SUP_IOCTL_CONT_FREE, sizeof(void *) == 8 ? 16 : 12, 0, WITH_COOKIES},
    {SUP_IOCTL_LDR_OPEN, 44, sizeof(void *) == 8 ? 16 : 8, WITH_COOKIES},
    {SUP_IOCTL_LDR_LOAD, sizeof(void *) == 8 ? 81 : 57, 0, WITH_COOKIES | IN_AT_LEAST},
    {SUP_IOCTL_LDR_FREE, sizeof(void *) == 8 ? 16 : 12, 0, WITH_COOKIES},
    {SUP_IOCTL_LDR_GET_SYMBOL, sizeof(void *) == 8 ? 18 : 14, sizeof(void *) == 8 ? 8 : 4,
     WITH_COOKIES | IN_AT_LEAST},
    {SUP_IOCTL_CALL_VMMR0, sizeof(void *) == 8 ? 32 : 24, 4, WITH_COOKIES},
    {SUP_IOCTL_GET_PAGING_MODE, 8, 4, WITH_COOKIES},
    {SUP_IOCTL_LOW_ALLOC, 12, sizeof(void *) == 8 ? 24 : 16, WITH_COOKIES | AT_LEAST},
    {SUP_IOCTL_LOW_FREE, sizeof(void *) == 8 ? 16 : 12, 0, WITH_COOKIES},
    {SUP_IOCTL_GIP_MAP, 8, sizeof(void *) == 8 ? 24 : 16, WITH_COOKIES},
    {SUP_IOCTL_GIP_UNMAP, 8, 0, WITH_COOKIES},
    {SUP_IOCTL_SET_VM_FOR_FAST, sizeof(void *) == 8 ? 16 : 12, 0, WITH_COOKIES},
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static uint8_t in[128], out[4096];

static bool is_implemented(uint32_t number)
{
	uint32_t i;

	for (i = 0; i < ROW_COUNT; i++)
		if (rows[i].number == number)
			return true;
	return false;
}

static int32_t sizes(struct bench *bench, uint32_t number, uint64_t in_size, uint64_t out_size)
{
	struct supdrv_call call;

	return supdrv_call_prepare(bench->session, number, in_size, out_size, &call);
}

TEST(sizes_are_exact_or_at_least_as_described)
{
	struct bench bench;
	uint32_t i;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < ROW_COUNT; i++) {
		uint32_t number = rows[i].number, more = rows[i].out + 1;

		CHECK_EQUAL(sizes(&bench, number, rows[i].in, rows[i].out), SUPDRV_OK);
		CHECK_EQUAL(sizes(&bench, number, rows[i].in - 1, rows[i].out), -2);
		CHECK_EQUAL(sizes(&bench, number, rows[i].in + 1, rows[i].out),
			    rows[i].flags & IN_AT_LEAST ? SUPDRV_OK : SUPDRV_ERR_INVALID_PARAM);
		CHECK_EQUAL(sizes(&bench, number, 0, 0), -2);
		CHECK_EQUAL(sizes(&bench, number, rows[i].in, (uint64_t)rows[i].out - 1), -2);
		CHECK_EQUAL(sizes(&bench, number, rows[i].in, more),
			    rows[i].flags & AT_LEAST ? SUPDRV_OK : SUPDRV_ERR_INVALID_PARAM);
	}
	bench_teardown(&bench);
}

TEST(lengths_are_compared_at_full_width)
{
	static const uint64_t lengths[] = {SUPDRV_TRANSPORT_MAX + 1ull,
					   0x7FFFFFFFu,
					   0x80000000u,
					   0x100000000u,
					   0x100000014u,
					   0x100000008u,
					   0x8000000000000000u,
					   ~0ull};
	struct bench bench;
	uint32_t i, j;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < ROW_COUNT; i++) {
		for (j = 0; j < sizeof(lengths) / sizeof(lengths[0]); j++) {
			CHECK_EQUAL(sizes(&bench, rows[i].number, lengths[j], rows[i].out), -2);
			CHECK_EQUAL(sizes(&bench, rows[i].number, rows[i].in, lengths[j]), -2);
		}
	}
	CHECK_EQUAL(sizes(&bench, SUP_IOCTL_QUERY_FUNCS, 8, SUPDRV_TRANSPORT_MAX), SUPDRV_OK);
	bench_teardown(&bench);
}

TEST(a_long_output_buffer_does_not_cost_kernel_memory)
{
	struct supdrv_call call;
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_call_prepare(bench.session, SUP_IOCTL_QUERY_FUNCS, 8,
					SUPDRV_TRANSPORT_MAX, &call),
		    SUPDRV_OK);
	CHECK(call.buffer_size < 4096);
	bench_teardown(&bench);
}

TEST(unknown_numbers_fail_after_the_length_limit_and_before_anything_else)
{
	const uint32_t too_long = SUPDRV_TRANSPORT_MAX + 1;
	struct bench bench;
	uint32_t function;

	bench_setup(&bench, NULL, 0);
	for (function = 0; function < 128; function++) {
		uint32_t number = SUP_CTL_CODE(function);

		if (is_implemented(number))
			continue;
		CHECK_EQUAL(sizes(&bench, number, 0, 0), SUPDRV_ERR_GENERAL_FAILURE);
		CHECK_EQUAL(sizes(&bench, number, 8, 100000), SUPDRV_ERR_GENERAL_FAILURE);
		CHECK_EQUAL(sizes(&bench, number, too_long, 0), SUPDRV_ERR_INVALID_PARAM);
		CHECK_EQUAL(sizes(&bench, number, 0, too_long), SUPDRV_ERR_INVALID_PARAM);
	}
	bench_teardown(&bench);
}

TEST(numbers_are_compared_as_whole_words)
{
	struct bench bench;
	uint32_t bit;

	bench_setup(&bench, NULL, 0);
	for (bit = 0; bit < 32; bit++) {
		uint32_t number = SUP_IOCTL_COOKIE ^ 1u << bit;

		if (!is_implemented(number))
			CHECK_EQUAL(sizes(&bench, number, 20, rows[0].out), -1);
	}
	bench_teardown(&bench);
}

TEST(each_wrong_cookie_is_refused_and_nothing_is_copied_out)
{
	struct bench bench;
	uint32_t i, bit;

	bench_setup(&bench, NULL, 0);
	for (i = 0; i < ROW_COUNT; i++) {
		for (bit = 0; (rows[i].flags & WITH_COOKIES) && bit < 64; bit++) {
			uint32_t cookies[2] = {bench.cookies[0], bench.cookies[1]};
			struct client client = {in, rows[i].in, out, rows[i].out, false, 0};

			cookies[bit / 32] ^= 1u << bit % 32;
			memcpy(in, cookies, sizeof(cookies));
			CHECK_EQUAL(client_request(bench.session, rows[i].number, &client), -3);
			CHECK_EQUAL(client.copied, 0);
		}
	}
	bench_teardown(&bench);
}

TEST(the_cookie_of_another_session_is_refused)
{
	struct supdrv_session *other;
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &other), SUPDRV_OK);
	CHECK_EQUAL(request(other, SUP_IOCTL_IDT_REMOVE, bench.cookies, 8, NULL, 0), -3);
	CHECK_EQUAL(request(bench.session, SUP_IOCTL_IDT_REMOVE, bench.cookies, 8, NULL, 0), 0);
	supdrv_session_close(other);
	bench_teardown(&bench);
}

TEST(cookies_work_without_having_asked_for_them_first)
{
	struct supdrv_session *other;
	uint32_t cookies[2];
	struct bench bench;

	host_random_fix(0x21);
	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(supdrv_session_open(bench.device, NULL, &other), SUPDRV_OK);
	cookies[0] = bench.cookies[0];
	cookies[1] = bench.cookies[1] + 1;
	CHECK_EQUAL(request(other, SUP_IOCTL_IDT_REMOVE, cookies, 8, NULL, 0), 0);
	supdrv_session_close(other);
	bench_teardown(&bench);
}

TEST(without_an_extra_table_the_fault_request_is_unknown)
{
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	CHECK_EQUAL(sizes(&bench, SUP_CTL_CODE(126), 12, 4), SUPDRV_ERR_GENERAL_FAILURE);
	bench_teardown(&bench);
}

/* Numbers, sizes and contents at random: the sanitizers and the transport's own checks judge. */
TEST(random_requests_never_leave_their_buffers)
{
	uint32_t round, header[4];
	struct bench bench;

	bench_setup(&bench, NULL, 0);
	for (round = 0; round < 100000; round++) {
		uint32_t known, in_size, out_size;

		supdrv_os_random(header, sizeof(header));
		supdrv_os_random(in, sizeof(in));
		memcpy(in, bench.cookies, header[3] % 4 ? 8 : 4);
		known = rows[header[0] % ROW_COUNT].number;
		in_size = header[3] & 16 ? header[1] % 65 : rows[header[0] % ROW_COUNT].in;
		out_size = header[3] & 32 ? header[2] % 4097 : rows[header[0] % ROW_COUNT].out;
		request(bench.session, header[3] & 64 ? known : SUP_CTL_CODE(header[0] % 128), in,
			in_size, out, out_size);
	}
	bench_teardown(&bench);
}
