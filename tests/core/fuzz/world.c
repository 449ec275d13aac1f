// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "machine.h"
#include "world.h"

/* What an action's byte means, by the first limit above it. */
#define ACT_FORM   0xA0u
#define ACT_RAW	   0xB0u
#define ACT_FAST   0xB8u
#define ACT_OPEN   0xC4u
#define ACT_CLOSE  0xD0u
#define ACT_DURING 0xD8u

/* What is wrong about a request's transport, by the first limit above its byte. */
#define WITHOUT_FAULT 0xA0u
#define WITH_COPY_OUT 0xC0u
#define WITH_DEVICE   0xC8u
#define WITH_SESSION  0xD0u
#define WITH_OTHER    0xD8u
#define WITH_IN_SIZE  0xE8u

static uint8_t out[SUPDRV_TRANSPORT_MAX];
static struct world *current;

struct totals {
	char counters[SUPDRV_COUNTERS_TEXT_SIZE];
	long allocations;
};

static struct totals totals_now(const struct world *world)
{
	struct totals totals = {.allocations = host_alloc_live};

	supdrv_counters_format(world->bench.device, totals.counters, sizeof(totals.counters));
	return totals;
}

static void check_nothing_changed(const struct world *world, const struct totals *before)
{
	struct totals now = totals_now(world);

	CHECK_EQUAL(now.allocations, before->allocations);
	CHECK(!strcmp(now.counters, before->counters));
}

static struct supdrv_session *session_of(struct world *world, uint32_t index)
{
	return index ? world->others[index - 1] : world->bench.session;
}

static uint64_t odd_size(const struct world *world, uint64_t usual, struct input *input)
{
	uint8_t choice = input_byte(input);
	uint64_t size;

	if (choice < 0x60)
		return usual + (uint64_t)(choice % 2 ? 1 : -1) * (choice / 2);
	if (choice < 0xA0)
		return (uint64_t)input_byte(input) * (choice % 32 + 1u);
	size = odd_value(&world->knowledge, input);
	/* No more than we have, unless it is far more than anybody takes. */
	return size > CLIENT_IN_MAX && size <= SUPDRV_TRANSPORT_MAX ? CLIENT_IN_MAX : size;
}

/* Puts cookies into the message, and perhaps something wrong with them or with the transport.
 * Returns whether the cookies are right. */
static bool client_prepare(const struct world *world, uint32_t index, struct message *message,
			   struct client *client, struct input *input)
{
	uint32_t cookies[2] = {world->cookies[index][0], world->cookies[index][1]};
	uint8_t fault = input_byte(input);

	if (fault < WITHOUT_FAULT)
		client->out_faults = false;
	else if (fault < WITH_COPY_OUT)
		client->out_faults = true;
	else if (fault < WITH_DEVICE)
		cookies[0] ^= 1u << input_byte(input) % 32;
	else if (fault < WITH_SESSION)
		cookies[1] ^= 1u << input_byte(input) % 32;
	else if (fault < WITH_OTHER)
		cookies[1] = world->cookies[fault % SESSION_COUNT][1];
	else if (fault < WITH_IN_SIZE)
		client->in_size = odd_size(world, client->in_size, input);
	else
		client->out_size = odd_size(world, client->out_size, input);

	if (message->form == FORM_COOKIE)
		return true;
	memcpy(message->in, cookies, sizeof(cookies));
	return !memcmp(cookies, world->cookies[index], sizeof(cookies));
}

static void act_form(struct world *world, struct input *input)
{
	struct message *message = &world->messages[world->depth];
	uint32_t index = input_below(input, SESSION_COUNT), interruptions = world->interruptions;
	struct client client = {message->in, 0, out, 0, false, 0};
	struct totals before = totals_now(world);
	bool entitled;
	int32_t status;

	message->form = (enum form_name)input_below(input, FORM_COUNT);
	if (!session_of(world, index))
		index = 0;
	message_fill(message, &world->knowledge, input);
	client.in_size = message->in_size;
	client.out_size = message->out_size;
	entitled = client_prepare(world, index, message, &client, input);

	status = client_request(session_of(world, index), forms[message->form].number, &client);
	CHECK(entitled || status);
	/* Without an output there is nothing whose delivery could fail. */
	if (!status && !(client.out_faults && client.copied))
		knowledge_add(&world->knowledge, message, out, client.copied);
	else if (world->interruptions == interruptions)
		check_nothing_changed(world, &before);
}

/* Another thread's request, while one is mapping pages. */
static void interrupt(void)
{
	struct world *world = current;

	world->interruptions++;
	world->depth = 1;
	act_form(world, &world->interruption);
	world->depth = 0;
}

/* The next request that maps pages is interrupted by what the following bytes say. */
static void act_during(struct world *world, struct input *input)
{
	uint32_t length = input_below(input, INTERRUPTION_MAX), i;

	for (i = 0; i < length; i++)
		world->interruption_bytes[i] = input_byte(input);
	world->interruption.at = world->interruption_bytes;
	world->interruption.end = world->interruption_bytes + length;
	current = world;
	host_during_map = interrupt;
}

/* Any number, any sizes, any bytes behind right cookies. */
static void act_raw(struct world *world, struct input *input)
{
	struct client client = {NULL, 0, out, 0, input_byte(input) % 4 == 3, 0};
	uint32_t number = input_byte(input), i;
	uint8_t *in = world->messages[0].in;

	number = number < 0xF0 ? SUP_CTL_CODE(number) : input_word(input);
	client.in = in;
	client.in_size = odd_size(world, 8 + input_byte(input), input);
	client.out_size = odd_size(world, input_byte(input), input);
	memset(in, 0, CLIENT_IN_MAX);
	memcpy(in, world->cookies[0], 8);
	for (i = 8; i < client.in_size && i < 64; i++)
		in[i] = input_byte(input);
	client_request(world->bench.session, number, &client);
}

static void act_fast(struct world *world, struct input *input)
{
	uint32_t index = input_below(input, SESSION_COUNT);
	uint32_t number = SUP_CTL_CODE_FAST(63 + input_below(input, 5));
	int32_t result;

	if (session_of(world, index))
		supdrv_fast_run(session_of(world, index), number, &result);
}

static void act_open(struct world *world, struct input *input)
{
	uint32_t other = input_below(input, SESSION_COUNT - 1);
	struct supdrv_session **session = &world->others[other];
	SUPCOOKIE_OUT identity;

	if (*session || supdrv_session_open(world->bench.device, world, session))
		return;
	CHECK(supdrv_session_os(*session) == world);
	identity = negotiate(*session);
	world->cookies[1 + other][0] = identity.u32Cookie;
	world->cookies[1 + other][1] = identity.u32SessionCookie;
}

static void session_close(struct world *world, uint32_t other)
{
	if (world->others[other])
		supdrv_session_close(world->others[other]);
	world->others[other] = NULL;
}

void world_act(struct world *world, struct input *input)
{
	uint8_t action = input_byte(input);

	if (action < ACT_FORM)
		act_form(world, input);
	else if (action < ACT_RAW)
		act_raw(world, input);
	else if (action < ACT_FAST)
		act_fast(world, input);
	else if (action < ACT_OPEN)
		act_open(world, input);
	else if (action < ACT_CLOSE)
		session_close(world, input_below(input, SESSION_COUNT - 1));
	else if (action < ACT_DURING)
		act_during(world, input);
	else
		machine_act(action, input);
}

/* Images run or not. With little memory there may be no device, or one with less in it. */
static void device_create(struct world *world, struct input *input)
{
	uint8_t choice = input_byte(input);
	const struct supdrv_config config = {.ring0_images = choice / 8 % 2};

	world->knowledge.images_run = config.ring0_images;
	host_alloc_budget = choice % 8 - 1;
	if (supdrv_device_create(&config, &world->bench.device)) {
		CHECK_EQUAL(host_alloc_live, 0);
		machine_reset();
		CHECK_EQUAL(supdrv_device_create(&config, &world->bench.device), SUPDRV_OK);
	}
	machine_reset();
}

void world_begin(struct world *world, struct input *input)
{
	struct bench *bench = &world->bench;

	memset(world, 0, sizeof(*world));
	machine_reset();
	device_create(world, input);
	CHECK_EQUAL(supdrv_session_open(bench->device, world, &bench->session), SUPDRV_OK);
	bench->identity = negotiate(bench->session);
	world->cookies[0][0] = bench->identity.u32Cookie;
	world->cookies[0][1] = bench->identity.u32SessionCookie;
}

static void check_counters_are_zero(const struct world *world)
{
	char text[SUPDRV_COUNTERS_TEXT_SIZE];
	char *line;

	supdrv_counters_format(world->bench.device, text, sizeof(text));
	CHECK(!strncmp(text, "sessions 1\n", 11));
	for (line = strtok(text + 11, "\n"); line; line = strtok(NULL, "\n"))
		CHECK(!strcmp(strchr(line, ' '), " 0"));
}

void world_end(struct world *world)
{
	struct supdrv_session *fresh;
	uint32_t i;

	machine_reset();
	for (i = 0; i < SESSION_COUNT - 1; i++)
		session_close(world, i);
	CHECK_EQUAL(supdrv_session_open(world->bench.device, world, &fresh), SUPDRV_OK);
	supdrv_session_close(world->bench.session);
	world->bench.session = fresh;
	check_counters_are_zero(world);
	bench_teardown(&world->bench);
}
