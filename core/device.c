// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

int32_t supdrv_device_create(const struct supdrv_config *config, struct supdrv_device **device)
{
	struct supdrv_device *made = supdrv_os_alloc(sizeof(*made));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	supdrv_os_lock_init(&made->lock);
	supdrv_os_random(&made->cookie, sizeof(made->cookie));
	if (!made->cookie)
		made->cookie = 1;
	made->extra = config->extra;
	made->extra_count = config->extra_count;
	made->ring0_images = config->ring0_images;
	supdrv_functions_init(made);
	supdrv_gip_create(made);
	*device = made;
	return SUPDRV_OK;
}

void supdrv_device_destroy(struct supdrv_device *device)
{
	supdrv_gip_destroy(device);
	supdrv_os_lock_destroy(&device->lock);
	supdrv_os_free(device);
}
