/* SPDX-License-Identifier: MIT */
/* Memory of this process that tests own: allocate, look at, change. */
#include "agent.h"

#include <string.h>

/* What RESET has to unmap. `address` and `size` are what the caller knows, `base` and `total` what
 * was mapped. */
struct region {
	uint64_t base;
	uint64_t total;
	uint64_t address;
	uint64_t size;
};

/* More than nearly every test has. */
#define REGIONS_OWN 1024u

static struct region regions_own[REGIONS_OWN], *regions = regions_own;
static struct buffer regions_bytes = {.own = (uint8_t *)regions_own,
				      .own_size = sizeof(regions_own),
				      .data = (uint8_t *)regions_own,
				      .capacity = sizeof(regions_own)};
static uint32_t region_count;

bool address_fits(uint64_t value)
{
	return value <= UINTPTR_MAX;
}

static bool regions_reserve(void)
{
	if (!buffer_reserve(&regions_bytes, (region_count + 2) * sizeof(*regions),
			    region_count * sizeof(*regions)))
		return false;
	regions = (struct region *)(void *)regions_bytes.data;
	return true;
}

/* Takes [from, to) out of the table: whatever is mapped there later is not ours. Room for one more
 * is reserved. */
static void regions_forget(uint64_t from, uint64_t to)
{
	for (uint32_t i = region_count; i-- > 0;) {
		struct region *r = &regions[i];
		uint64_t end = r->base + r->total;

		if (from >= end || to <= r->base)
			continue;
		if (to < end)
			regions[region_count++] = (struct region){to, end - to, to, end - to};
		if (from > r->base)
			*r = (struct region){r->base, from - r->base, r->base, from - r->base};
		else
			*r = regions[--region_count];
		if (!regions_reserve())
			return;
	}
}

static uint64_t page_round(uint64_t value)
{
	uint64_t page = os_page_size();

	return (value + page - 1) & ~(page - 1);
}

bool memory_forget(uint64_t address, uint64_t size)
{
	if (!regions_reserve())
		return false;
	regions_forget(address, address + page_round(size));
	return true;
}

uint32_t memory_free_all(void)
{
	uint32_t count = region_count;

	while (region_count > 0) {
		region_count--;
		os_unmap(regions[region_count].base, regions[region_count].total);
	}
	buffer_shrink(&regions_bytes);
	regions = regions_own;
	return count;
}

struct outcome op_mem_alloc(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t size = get_u64(in), hint;
	uint32_t prot = get_u32(in), flags = get_u32(in), error;
	struct region r = {.size = size};
	uint64_t guard;

	(void)a;
	hint = get_u64(in);
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (prot > 7 || (flags & ~MEM_FLAGS) || !address_fits(hint) || size > UINTPTR_MAX / 2)
		return refused(ST_BAD_VALUE);
	if (!regions_reserve())
		return refused(ST_NO_MEMORY);
	guard = flags & MEM_GUARD ? os_page_size() : 0;
	r.total = page_round(size) + guard;
	error = os_map(hint, r.total, prot, flags, &r.base);
	if (error)
		return os_outcome(error);
	if (guard) {
		error = os_protect(r.base + r.total - guard, guard, 0);
		if (error) {
			os_unmap(r.base, r.total);
			return os_outcome(error);
		}
	}
	r.address = flags & MEM_AT_END ? r.base + r.total - guard - size : r.base;
	regions[region_count++] = r;
	put_u64(out, r.address);
	return done();
}

struct outcome op_mem_map(struct agent *a, struct reader *in, struct reply *out)
{
	os_handle handle = handle_get(get_u32(in));
	uint32_t prot = get_u32(in), flags = get_u32(in), error;
	uint64_t size = get_u64(in), offset = get_u64(in);
	struct region r = {.size = size};

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (handle == OS_NO_HANDLE)
		return refused(ST_NO_HANDLE);
	if (prot > 7 || flags > MAP_PRIVATE_COPY || !address_fits(size))
		return refused(ST_BAD_VALUE);
	if (!regions_reserve())
		return refused(ST_NO_MEMORY);
	error = os_map_handle(handle, size, prot, flags & MAP_PRIVATE_COPY, offset, &r.base);
	if (error)
		return os_outcome(error);
	r.address = r.base;
	r.total = page_round(size);
	regions[region_count++] = r;
	put_u64(out, r.address);
	return done();
}

struct outcome op_mem_free(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t address = get_u64(in), size = get_u64(in);
	uint32_t error;

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(address) || !address_fits(size))
		return refused(ST_BAD_VALUE);
	for (uint32_t i = 0; i < region_count; i++) {
		if (regions[i].address == address && regions[i].size == size) {
			address = regions[i].base;
			size = regions[i].total;
			break;
		}
	}
	if (!regions_reserve())
		return refused(ST_NO_MEMORY);
	error = os_unmap(address, size);
	if (!error)
		regions_forget(address, address + page_round(size));
	return os_outcome(error);
}

struct outcome op_mem_protect(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t address = get_u64(in), size = get_u64(in);
	uint32_t prot = get_u32(in);

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (prot > 7 || !address_fits(address) || !address_fits(size))
		return refused(ST_BAD_VALUE);
	return os_outcome(os_protect(address, size, prot));
}

struct outcome op_mem_read(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t address = get_u64(in);
	uint32_t length = get_u32(in);
	uint8_t *to;

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(address))
		return refused(ST_BAD_VALUE);
	to = put_space(out, length);
	if (!to)
		return refused(out->broken);
	return os_outcome(os_peek(address, to, length));
}

struct outcome op_mem_write(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t address = get_u64(in);
	uint32_t length;
	const uint8_t *from = get_blob(in, &length);

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(address))
		return refused(ST_BAD_VALUE);
	return os_outcome(os_poke(address, from, length));
}

struct outcome op_mem_fill(struct agent *a, struct reader *in, struct reply *out)
{
	static uint8_t pattern[16384];
	uint64_t address = get_u64(in), length = get_u64(in);
	uint8_t value = get_u8(in);
	uint32_t error = 0;

	(void)a;
	(void)out;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(address) || length > UINTPTR_MAX - address)
		return refused(ST_BAD_VALUE);
	memset(pattern, value, sizeof(pattern));
	while (length > 0 && !error) {
		size_t n = length < sizeof(pattern) ? (size_t)length : sizeof(pattern);

		error = os_poke(address, pattern, n);
		address += n;
		length -= n;
	}
	return os_outcome(error);
}

/* By the process's own instructions: what it may not do ends it. */
static uint8_t touch(uint64_t address, uint8_t how)
{
	volatile uint8_t *at = (volatile uint8_t *)(uintptr_t)address;

	if (how == TOUCH_EXECUTE) {
		((void (*)(void))(uintptr_t)address)();
		return 0;
	}
	if (how == TOUCH_WRITE)
		*at = *at;
	return *at;
}

struct outcome op_mem_touch(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t address = get_u64(in);
	uint8_t how = get_u8(in);

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(address) || how > TOUCH_EXECUTE)
		return refused(ST_BAD_VALUE);
	put_u8(out, touch(address, how));
	return done();
}

struct outcome op_mem_move(struct agent *a, struct reader *in, struct reply *out)
{
	uint64_t address = get_u64(in), size = get_u64(in), to = 0;
	uint32_t error;

	(void)a;
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!address_fits(address) || !address_fits(size))
		return refused(ST_BAD_VALUE);
	if (!regions_reserve())
		return refused(ST_NO_MEMORY);
	error = os_move(address, size, &to);
	if (error)
		return os_outcome(error);
	regions_forget(address, address + page_round(size));
	if (!regions_reserve()) {
		os_unmap(to, page_round(size));
		return refused(ST_NO_MEMORY);
	}
	regions[region_count++] = (struct region){to, page_round(size), to, size};
	put_u64(out, to);
	return done();
}
