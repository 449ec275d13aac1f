// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Memory for images that run: real pages, so that a write to a sealed image ends the program. */
#include <sys/mman.h>

#include "host.h"

long host_seal_budget = -1;

static size_t whole_pages(uint32_t size)
{
	return ((size_t)size + 4095) & ~(size_t)4095;
}

void *supdrv_os_image_alloc(uint32_t size)
{
	void *memory;

	if (host_alloc_budget == 0)
		return NULL;
	if (host_alloc_budget > 0)
		host_alloc_budget--;
	memory = mmap(NULL, whole_pages(size), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	CHECK(memory != MAP_FAILED);
	host_alloc_live++;
	return memory;
}

int32_t supdrv_os_image_seal(void *memory, uint32_t size)
{
	CHECK_EQUAL(host_locks_held, 0);
	if (host_seal_budget == 0)
		return SUPDRV_ERR_NO_MEMORY;
	if (host_seal_budget > 0)
		host_seal_budget--;
	CHECK_EQUAL(mprotect(memory, whole_pages(size), PROT_READ | PROT_EXEC), 0);
	return SUPDRV_OK;
}

void supdrv_os_image_unseal(void *memory, uint32_t size)
{
	CHECK_EQUAL(mprotect(memory, whole_pages(size), PROT_READ | PROT_WRITE), 0);
}

void supdrv_os_image_free(void *memory, uint32_t size)
{
	host_alloc_live--;
	CHECK_EQUAL(munmap(memory, whole_pages(size)), 0);
}

/* Distinct and recognisable; nothing calls them here. */
uintptr_t supdrv_os_function(enum supdrv_function function)
{
	return 0xF000u + function;
}
