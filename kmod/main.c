// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <linux/module.h>

#include "supdrv_linux.h"

struct supdrv_device *supdrv_linux_device;

#ifdef SUPDRV_FAULTS
#define EXTRA_REQUESTS	    (&supdrv_fault_request)
#define EXTRA_REQUEST_COUNT 1
#else
#define EXTRA_REQUESTS	    NULL
#define EXTRA_REQUEST_COUNT 0
#endif

static int __init supdrv_init(void)
{
	int32_t status;
	int error;

	status = supdrv_device_create(EXTRA_REQUESTS, EXTRA_REQUEST_COUNT, &supdrv_linux_device);
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
	supdrv_file_unregister();
	supdrv_debugfs_remove();
	supdrv_device_destroy(supdrv_linux_device);
}

module_init(supdrv_init);
module_exit(supdrv_exit);

MODULE_DESCRIPTION("Ring-0 support driver, interface version 3.1");
MODULE_VERSION("0.1.0");
MODULE_LICENSE("Dual MIT/GPL");
