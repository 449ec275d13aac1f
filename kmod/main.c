// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>

#include "supdrv_linux.h"

struct supdrv_device *supdrv_linux_device;

static bool ring0_images;
module_param(ring0_images, bool, 0444);
MODULE_PARM_DESC(ring0_images, "run what clients load, in the kernel (default: off)");

static int __init supdrv_init(void)
{
	struct supdrv_config config = {.ring0_images = ring0_images};
	int32_t status;
	int error;

#ifdef SUPDRV_FAULTS
	config.extra = &supdrv_fault_request;
	config.extra_count = 1;
#endif
	status = supdrv_device_create(&config, &supdrv_linux_device);
	if (status)
		return supdrv_errno_from_status(status);
	supdrv_debugfs_create();
	error = supdrv_file_register();
	if (error)
		goto destroy_device;
	return 0;

destroy_device:
	supdrv_debugfs_remove();
	supdrv_device_destroy(supdrv_linux_device);
	return error;
}

static void __exit supdrv_exit(void)
{
	supdrv_fault_on_unload();
	supdrv_file_unregister();
	supdrv_debugfs_remove();
	supdrv_device_destroy(supdrv_linux_device);
}

module_init(supdrv_init);
module_exit(supdrv_exit);

MODULE_DESCRIPTION("Ring-0 support driver, interface version 3.1");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("Dual MIT/GPL");
