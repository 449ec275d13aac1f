/* SPDX-License-Identifier: MIT */
/* A page whose first touch changes other memory: between two fetches of one request, say. */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

struct change {
	uint8_t *to;
	uint32_t length;
	uint8_t bytes[];
};

static os_trap *trap;
static struct change *trap_change;

static bool trap_clear(void)
{
	bool sprung = trap && os_trap_clear(trap);

	trap = NULL;
	free(trap_change);
	trap_change = NULL;
	return sprung;
}

void trap_drop(void)
{
	trap_clear();
}

void trap_abandon(void)
{
	if (trap)
		os_trap_abandon(trap);
	trap = NULL;
	free(trap_change);
	trap_change = NULL;
}

static void change_make(void *arg)
{
	struct change *c = arg;

	memcpy(c->to, c->bytes, c->length);
}

/* Where the change is made without asking the kernel, so it must be known to be possible. */
static uint32_t change_try(struct change *c, const uint8_t *bytes)
{
	uint64_t address = (uintptr_t)c->to;
	uint32_t error = os_peek(address, c->bytes, c->length);

	if (!error)
		error = os_poke(address, c->bytes, c->length);
	memcpy(c->bytes, bytes, c->length);
	return error;
}

struct outcome op_mem_trap(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t page = get_u64(in), address = get_u64(in), size = os_page_size();
	uint32_t length, error;
	const uint8_t *bytes = get_blob(in, &length);

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(page) || !address_fits(address) || page & (size - 1) || length == 0 ||
	    address + length < address || (address < page + size && address + length > page))
		return refused(ST_BAD_VALUE);
	trap_clear();
	trap_change = malloc(sizeof(*trap_change) + length);
	if (!trap_change)
		return refused(ST_NO_MEMORY);
	trap_change->to = (uint8_t *)(uintptr_t)address;
	trap_change->length = length;
	error = change_try(trap_change, bytes);
	if (!error)
		error = os_trap_set(page, change_make, trap_change, &trap);
	if (error)
		trap_clear();
	return os_outcome(error);
}

struct outcome op_mem_untrap(struct agent *a, struct reader *in, struct reply *out)
{
	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	put_u8(out, trap_clear());
	return done();
}
