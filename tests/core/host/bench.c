// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* A client's side of the transport, and a device with a session that is ready for tests. */
#include "host.h"

int32_t client_request(struct supdrv_session *session, uint32_t number, struct client *client)
{
	struct supdrv_call call;
	int32_t status;

	client->copied = 0;
	status = supdrv_call_prepare(session, number, client->in_size, client->out_size, &call);
	if (status)
		return status;
	CHECK(call.buffer_size >= call.in_size && call.buffer_size >= call.out_size);
	/* A buffer of its own size, so that the sanitizer sees every step beyond it. */
	call.buffer = calloc(1, call.buffer_size ? call.buffer_size : 1);
	memcpy(call.buffer, client->in, call.in_size);
	status = supdrv_call_run(session, &call);
	if (status)
		CHECK_EQUAL(call.returned, 0);
	CHECK(call.returned <= call.out_size);
	if (!status && client->out_faults)
		supdrv_call_undo(session, &call);
	else if (!status && call.returned)
		memcpy(client->out, call.buffer, call.returned);
	client->copied = call.returned;
	free(call.buffer);
	return status;
}

int32_t request(struct supdrv_session *session, uint32_t number, const void *in, uint64_t in_size,
		void *out, uint64_t out_size)
{
	struct client client = {in, in_size, out, out_size, false, 0};

	return client_request(session, number, &client);
}

SUPCOOKIE_OUT negotiate(struct supdrv_session *session)
{
	const SUPCOOKIE_IN in = {SUPCOOKIE_MAGIC, SUPDRVIOC_VERSION};
	SUPCOOKIE_OUT out;

	CHECK_EQUAL(request(session, SUP_IOCTL_COOKIE, &in, sizeof(in), &out, sizeof(out)), 0);
	return out;
}

void bench_setup(struct bench *bench, const struct supdrv_request *extra, uint32_t extra_count)
{
	const struct supdrv_config config = {.extra = extra, .extra_count = extra_count};

	bench_setup_as(bench, &config);
}

void bench_setup_as(struct bench *bench, const struct supdrv_config *config)
{
	CHECK_EQUAL(supdrv_device_create(config, &bench->device), SUPDRV_OK);
	CHECK_EQUAL(supdrv_session_open(bench->device, bench, &bench->session), SUPDRV_OK);
	bench->identity = negotiate(bench->session);
	bench->cookies[0] = bench->identity.u32Cookie;
	bench->cookies[1] = bench->identity.u32SessionCookie;
}

void bench_teardown(struct bench *bench)
{
	supdrv_session_close(bench->session);
	supdrv_device_destroy(bench->device);
	CHECK_EQUAL(host_alloc_live, 0);
	CHECK_EQUAL(host_lock_live, 0);
	CHECK_EQUAL(host_pages_live, 0);
	CHECK_EQUAL(host_mappings_live, 0);
	CHECK_EQUAL(host_pins_live, 0);
	CHECK_EQUAL(host_timers_live, 0);
}
