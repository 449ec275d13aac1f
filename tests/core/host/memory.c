// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Pages, mappings and pins of user space. Their physical addresses are made up, but tell them
 * apart. */
#include "host.h"

#define PAGE 4096u

struct supdrv_pages {
	uint64_t physical;
	uint32_t count;
	uint32_t mappings;
	uint8_t *memory;
};

struct supdrv_mapping {
	struct supdrv_pages *pages;
};

struct supdrv_pin {
	uint64_t physical;
	uint32_t count;
};

long host_pages_live;
long host_mappings_live;
long host_pins_live;
int32_t host_pin_status;
host_test *host_during_map;
uint32_t host_pages_last_word;

static uint64_t physical_next = PAGE;

static uint64_t physical_take(uint32_t count)
{
	uint64_t first = physical_next;

	physical_next += (uint64_t)count * PAGE;
	return first;
}

int32_t supdrv_os_pages_alloc(uint32_t count, bool contiguous, struct supdrv_pages **pages)
{
	struct supdrv_pages *made = supdrv_os_alloc(sizeof(*made));

	(void)contiguous;
	CHECK(count && !host_locks_held);
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->memory = aligned_alloc(PAGE, (size_t)count * PAGE);
	memset(made->memory, 0, (size_t)count * PAGE);
	made->physical = physical_take(count);
	made->count = count;
	host_pages_live += count;
	*pages = made;
	return SUPDRV_OK;
}

uint64_t supdrv_os_pages_physical(const struct supdrv_pages *pages, uint32_t index)
{
	CHECK(index < pages->count);
	return pages->physical + (uint64_t)index * PAGE;
}

void *supdrv_os_pages_kernel(const struct supdrv_pages *pages)
{
	return pages->memory;
}

void supdrv_os_pages_free(struct supdrv_pages *pages)
{
	CHECK(!pages->mappings && !host_locks_held);
	host_pages_live -= pages->count;
	memcpy(&host_pages_last_word, pages->memory, sizeof(host_pages_last_word));
	free(pages->memory);
	supdrv_os_free(pages);
}

static void meanwhile(host_test **other)
{
	host_test *run = *other;

	*other = NULL;
	if (run)
		run();
}

int32_t supdrv_os_map(struct supdrv_pages *pages, bool writable, struct supdrv_mapping **mapping)
{
	struct supdrv_mapping *made = supdrv_os_alloc(sizeof(*made));

	(void)writable;
	CHECK(!host_locks_held);
	meanwhile(&host_during_map);
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->pages = pages;
	pages->mappings++;
	host_mappings_live++;
	*mapping = made;
	return SUPDRV_OK;
}

uintptr_t supdrv_os_mapping_address(const struct supdrv_mapping *mapping)
{
	return (uintptr_t)mapping->pages->memory;
}

void supdrv_os_unmap(struct supdrv_mapping *mapping)
{
	CHECK(!host_locks_held);
	mapping->pages->mappings--;
	host_mappings_live--;
	supdrv_os_free(mapping);
}

int32_t supdrv_os_pin(uintptr_t address, uint32_t count, struct supdrv_pin **pin)
{
	struct supdrv_pin *made;

	CHECK(count && address % PAGE == 0 && !host_locks_held);
	CHECK(address <= UINTPTR_MAX - ((uintptr_t)count * PAGE - 1));
	if (host_pin_status)
		return host_pin_status;
	made = supdrv_os_alloc(sizeof(*made));
	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->physical = physical_take(count);
	made->count = count;
	host_pins_live++;
	*pin = made;
	return SUPDRV_OK;
}

uint64_t supdrv_os_pin_physical(const struct supdrv_pin *pin, uint32_t index)
{
	CHECK(index < pin->count);
	return pin->physical + (uint64_t)index * PAGE;
}

void supdrv_os_unpin(struct supdrv_pin *pin)
{
	CHECK(!host_locks_held);
	host_pins_live--;
	supdrv_os_free(pin);
}
