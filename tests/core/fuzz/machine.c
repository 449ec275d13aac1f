// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "machine.h"
#include "host.h"

static void change_memory(struct input *input)
{
	host_alloc_budget = input_byte(input) % 8 - 1;
}

static void change_seals(struct input *input)
{
	host_seal_budget = input_byte(input) % 4 - 1;
}

static void change_pins(struct input *input)
{
	static const int32_t results[] = {SUPDRV_OK, SUPDRV_ERR_LOCK_FAILED, SUPDRV_ERR_NO_MEMORY};

	host_pin_status = results[input_below(input, 3)];
}

static void change_chance(struct input *input)
{
	uint8_t byte = input_byte(input);

	if (byte % 2)
		host_random_fix(byte);
	else
		host_random_free();
}

static void change_processor(struct input *input)
{
	host_paging.cr0 = input_byte(input) % 4 ? 0x80000001 : input_long(input);
	host_paging.cr4 = input_word(input);
	host_paging.efer = input_word(input);
	host_paging.features = input_word(input);
}

/* Time goes on in equal steps, each of which is a tick if somebody waits for one. */
static void change_time(struct input *input)
{
	uint32_t ticks = input_byte(input);
	uint32_t ns = input_word(input);
	uint64_t tsc = input_word(input) * (uint64_t)(input_byte(input) + 1);

	do {
		host_time.ns += ns;
		host_time.tsc += tsc;
		if (host_timers_live)
			host_timer_tick();
	} while (ticks--);
}

void machine_act(uint8_t action, struct input *input)
{
	static void (*const changes[])(struct input *) = {
	    change_memory, change_seals, change_pins, change_chance, change_processor, change_time};

	changes[action % (sizeof(changes) / sizeof(changes[0]))](input);
}

void machine_reset(void)
{
	host_alloc_budget = -1;
	host_seal_budget = -1;
	host_pin_status = SUPDRV_OK;
	host_during_map = NULL;
	host_random_free();
	memset(&host_paging, 0, sizeof(host_paging));
	memset(&host_time, 0, sizeof(host_time));
}
