/* SPDX-License-Identifier: MIT */
/* Physical pages. */
#include "memory.h"
#include "multiboot.h"

#define LOW_END 0x100000u /* what is below belongs to the firmware */

extern char kernel_end[];

static uint32_t *users; /* of each page */
static uint32_t total, free_pages, next;

static void reserve(uint32_t start, uint32_t end)
{
	for (uint32_t page = start >> PAGE_SHIFT; page < page_up(end) >> PAGE_SHIFT && page < total;
	     page++) {
		if (users[page] == 0)
			free_pages--;
		users[page] = 1;
	}
}

void frames_start(const struct multiboot *info)
{
	const struct multiboot_module *modules = seen(info->module_list);
	uint32_t after = physical_of(kernel_end), memory = LOW_END + info->upper_kib * 1024;

	if (memory > MEMORY_MAX)
		memory = MEMORY_MAX;
	for (uint32_t i = 0; i < info->modules; i++)
		if (modules[i].end > after)
			after = modules[i].end;
	total = memory >> PAGE_SHIFT;
	users = seen(page_up(after));
	memset(users, 0, total * sizeof(*users));
	free_pages = total;
	reserve(0, page_up(after) + total * sizeof(*users));
	next = 0;
}

uint32_t frame_take(void)
{
	for (uint32_t tried = 0; tried < total; tried++) {
		uint32_t page = next;

		next = next + 1 < total ? next + 1 : 0;
		if (users[page] == 0) {
			users[page] = 1;
			free_pages--;
			return page << PAGE_SHIFT;
		}
	}
	return NO_FRAME;
}

uint32_t frames_take(uint32_t count)
{
	uint32_t run = 0;

	for (uint32_t page = 0; count && page < total; page++) {
		run = users[page] == 0 ? run + 1 : 0;
		if (run < count)
			continue;
		page -= count - 1;
		for (uint32_t i = 0; i < count; i++)
			users[page + i] = 1;
		free_pages -= count;
		return page << PAGE_SHIFT;
	}
	return NO_FRAME;
}

void frame_keep(uint32_t physical)
{
	uint32_t page = physical >> PAGE_SHIFT;

	if (page < total && ++users[page] == 0)
		system_stop("a page has too many users", 25);
}

void frame_drop(uint32_t physical)
{
	uint32_t page = physical >> PAGE_SHIFT;

	if (page >= total)
		return;
	if (users[page] == 0)
		system_stop("a page is freed twice", 21);
	if (--users[page] == 0) {
		free_pages++;
		/* The next contiguous block is likelier to be found if single pages fill the gaps.
		 */
		if (page < next)
			next = page;
	}
}

uint32_t frames_total(void)
{
	return total;
}

uint32_t frames_free(void)
{
	return free_pages;
}
