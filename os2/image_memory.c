// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Memory that ring-0 images run in. The processor executes whatever can be read, so that only
 * writing changes. */
#include "devhelp.h"
#include "heap.h"
#include "supdrv_glue.h"
#include "supdrv_status.h"

void *supdrv_os_image_alloc(uint32_t size)
{
	void *memory;

	if (dh_memory_get(size, false, &memory))
		return NULL;
	return memset(memory, 0, size);
}

int32_t supdrv_os_image_seal(void *memory, uint32_t size)
{
	return dh_memory_protect(memory, size, true) ? SUPDRV_ERR_PERMISSION_DENIED : SUPDRV_OK;
}

void supdrv_os_image_unseal(void *memory, uint32_t size)
{
	dh_memory_protect(memory, size, false);
}

void supdrv_os_image_free(void *memory, uint32_t size)
{
	(void)size;
	heap_pages_release(memory);
}
