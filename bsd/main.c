// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Load and unload. */
#include "supdrv_freebsd.h"

#include <sys/kernel.h>
#include <sys/module.h>

MALLOC_DEFINE(M_SUPDRV, "supdrv", "ring-0 support driver");

struct supdrv_device *supdrv_freebsd_device;

/* The kernel's environment is what a loader tunable and kenv(1) both set. */
static void config_fetch(struct supdrv_config *config)
{
	int ring0_images = 0;

	TUNABLE_INT_FETCH("hw.supdrv.ring0_images", &ring0_images);
	config->ring0_images = ring0_images != 0;
#ifdef SUPDRV_FAULTS
	config->extra = &supdrv_fault_request;
	config->extra_count = 1;
#endif
}

static int supdrv_load(void)
{
	struct supdrv_config config = {.ring0_images = false};
	int32_t status;
	int error;

	config_fetch(&config);
	supdrv_pins_init();
	supdrv_faults_init();
	status = supdrv_device_create(&config, &supdrv_freebsd_device);
	error = supdrv_errno_from_status(status);
	if (error)
		goto destroy_locks;
	supdrv_sysctl_create(&config);
	error = supdrv_file_register();
	if (error)
		goto destroy_device;
	return 0;

destroy_device:
	supdrv_sysctl_remove();
	supdrv_device_destroy(supdrv_freebsd_device);
destroy_locks:
	supdrv_faults_destroy();
	supdrv_pins_destroy();
	return error;
}

static int supdrv_unload(void)
{
	int error = supdrv_file_unregister();

	if (error)
		return error;
	supdrv_fault_on_unload();
	supdrv_sysctl_remove();
	supdrv_device_destroy(supdrv_freebsd_device);
	supdrv_faults_destroy();
	supdrv_pins_destroy();
	return 0;
}

static int supdrv_event(module_t module __unused, int event, void *argument __unused)
{
	switch (event) {
	case MOD_LOAD:
		return supdrv_load();
	case MOD_QUIESCE:
		return supdrv_file_in_use() ? EBUSY : 0;
	case MOD_UNLOAD:
		return supdrv_unload();
	case MOD_SHUTDOWN:
		return 0;
	default:
		return EOPNOTSUPP;
	}
}

static moduledata_t supdrv_module = {"supdrv", supdrv_event, NULL};

DECLARE_MODULE(supdrv, supdrv_module, SI_SUB_DRIVERS, SI_ORDER_MIDDLE);
MODULE_VERSION(supdrv, 1);
