// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "world.h"

/* What an action's byte means, by the first limit above it. */
#define ACT_FORM   0xA0u
#define ACT_RAW	   0xB0u
#define ACT_FAST   0xB8u
#define ACT_OPEN   0xC8u
#define ACT_CLOSE  0xD8u
#define ACT_BUDGET 0xE8u
#define ACT_RANDOM 0xF0u

/* What is wrong about a request's transport, by the first limit above its byte. */
#define WITHOUT_FAULT 0xA0u
#define WITH_COPY_OUT 0xC0u
#define WITH_DEVICE   0xC8u
#define WITH_SESSION  0xD0u
#define WITH_OTHER    0xD8u
#define WITH_IN_SIZE  0xE8u

static struct message message;
static uint8_t out[SUPDRV_TRANSPORT_MAX];

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

/* Cookies and sizes, and perhaps something wrong with one of them. Returns whether it is the
 * cookies. */
static bool client_prepare(const struct world *world, uint32_t index, struct client *client,
			   struct input *input)
{
	uint32_t cookies[2] = {world->cookies[index][0], world->cookies[index][1]};
	uint8_t fault = input_byte(input);
	const uint32_t *wrong;

	if (fault >= WITHOUT_FAULT && fault < WITH_COPY_OUT)
		client->out_faults = true;
	else if (fault >= WITH_COPY_OUT && fault < WITH_DEVICE)
		cookies[0] ^= 1u << input_byte(input) % 32;
	else if (fault >= WITH_DEVICE && fault < WITH_SESSION)
		cookies[1] ^= 1u << input_byte(input) % 32;
	else if (fault >= WITH_SESSION && fault < WITH_OTHER)
		cookies[1] = world->cookies[fault % SESSION_COUNT][1];
	else if (fault >= WITH_OTHER && fault < WITH_IN_SIZE)
		client->in_size = odd_size(world, client->in_size, input);
	else if (fault >= WITH_IN_SIZE)
		client->out_size = odd_size(world, client->out_size, input);

	wrong = memcmp(cookies, world->cookies[index], sizeof(cookies)) ? cookies : NULL;
	memcpy(message.in, cookies, message.form == FORM_COOKIE ? 0 : sizeof(cookies));
	return wrong != NULL;
}

static void act_form(struct world *world, struct input *input)
{
	uint32_t index = input_below(input, SESSION_COUNT);
	struct client client = {message.in, 0, out, 0, false, 0};
	struct totals before = totals_now(world);
	bool forged;
	int32_t status;

	message.form = (enum form_name)input_below(input, FORM_COUNT);
	if (!session_of(world, index))
		index = 0;
	message_fill(&message, &world->knowledge, input);
	client.in_size = message.in_size;
	client.out_size = message.out_size;
	forged = client_prepare(world, index, &client, input);

	status = client_request(session_of(world, index), forms[message.form].number, &client);
	CHECK(!forged || status || message.form == FORM_COOKIE);
	/* Without an output there is nothing whose delivery could fail. */
	if (status || (client.out_faults && client.copied))
		check_nothing_changed(world, &before);
	else
		knowledge_add(&world->knowledge, &message, out, client.copied);
}

/* Any number, any sizes, any bytes behind right cookies. */
static void act_raw(struct world *world, struct input *input)
{
	struct client client = {message.in, 0, out, 0, input_byte(input) % 4 == 3, 0};
	uint32_t number = input_byte(input), i;

	number = number < 0xF0 ? SUP_CTL_CODE(number) : input_word(input);
	client.in_size = odd_size(world, 8 + input_byte(input), input);
	client.out_size = odd_size(world, input_byte(input), input);
	memset(message.in, 0, sizeof(message.in));
	memcpy(message.in, world->cookies[0], 8);
	for (i = 8; i < client.in_size && i < 64; i++)
		message.in[i] = input_byte(input);
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

static void act_random(struct input *input)
{
	uint8_t byte = input_byte(input);

	if (byte % 2)
		host_random_fix(byte);
	else
		host_random_free();
}

static void act_processor(struct input *input)
{
	host_paging.cr0 = input_byte(input) % 4 ? 0x80000001 : input_long(input);
	host_paging.cr4 = input_word(input);
	host_paging.efer = input_word(input);
	host_paging.features = input_word(input);
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
	else if (action < ACT_BUDGET)
		host_alloc_budget = action % 8 - 1;
	else if (action < ACT_RANDOM)
		act_random(input);
	else
		act_processor(input);
}

static void host_reset(void)
{
	host_alloc_budget = -1;
	host_random_free();
}

void world_begin(struct world *world, struct input *input)
{
	struct supdrv_device *device;

	memset(world, 0, sizeof(*world));
	host_reset();
	host_alloc_budget = input_byte(input) % 4;
	if (!supdrv_device_create(NULL, 0, &device))
		supdrv_device_destroy(device);
	host_reset();
	bench_setup(&world->bench, NULL, 0);
	memcpy(world->cookies[0], world->bench.cookies, sizeof(world->bench.cookies));
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

	host_reset();
	for (i = 0; i < SESSION_COUNT - 1; i++)
		session_close(world, i);
	CHECK_EQUAL(supdrv_session_open(world->bench.device, world, &fresh), SUPDRV_OK);
	supdrv_session_close(world->bench.session);
	world->bench.session = fresh;
	check_counters_are_zero(world);
	bench_teardown(&world->bench);
}
