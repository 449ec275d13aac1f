// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Load and unload, and the two devices: the one for clients, and the one with the counters. */
#include "supdrv_windows.h"

DRIVER_INITIALIZE DriverEntry;

struct supdrv_device *supdrv_windows_device;

static UNICODE_STRING client_name = RTL_CONSTANT_STRING(L"\\Device\\supdrv");
static UNICODE_STRING client_link = RTL_CONSTANT_STRING(L"\\DosDevices\\supdrv");
static UNICODE_STRING counters_name = RTL_CONSTANT_STRING(L"\\Device\\supdrv-counters");
static UNICODE_STRING counters_link = RTL_CONSTANT_STRING(L"\\DosDevices\\supdrv-counters");
static PDEVICE_OBJECT client_device;
static PDEVICE_OBJECT counters_device;

static NTSTATUS open_check(PIO_STACK_LOCATION stack)
{
	if (stack->FileObject->FileName.Length)
		return STATUS_OBJECT_NAME_NOT_FOUND; /* there is nothing below a device */
	if (stack->Parameters.Create.Options & FILE_DIRECTORY_FILE)
		return STATUS_NOT_A_DIRECTORY;
	return STATUS_SUCCESS;
}

static NTSTATUS NTAPI dispatch_create(PDEVICE_OBJECT device, PIRP irp)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);
	struct supdrv_file *file = NULL;
	NTSTATUS status = open_check(stack);

	if (NT_SUCCESS(status) && device == client_device)
		status = supdrv_file_open(&file);
	stack->FileObject->FsContext = file;
	return supdrv_irp_complete(irp, status, 0);
}

static NTSTATUS NTAPI dispatch_cleanup(PDEVICE_OBJECT device, PIRP irp)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);

	if (device == client_device)
		supdrv_file_end(stack->FileObject->FsContext);
	return supdrv_irp_complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI dispatch_close(PDEVICE_OBJECT device, PIRP irp)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);

	if (device == client_device)
		supdrv_file_close(stack->FileObject->FsContext);
	return supdrv_irp_complete(irp, STATUS_SUCCESS, 0);
}

static NTSTATUS NTAPI dispatch_control(PDEVICE_OBJECT device, PIRP irp)
{
	PIO_STACK_LOCATION stack = IoGetCurrentIrpStackLocation(irp);

	if (device != client_device)
		return supdrv_irp_complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
	return supdrv_request_run(stack->FileObject->FsContext, irp, stack);
}

static NTSTATUS NTAPI dispatch_read(PDEVICE_OBJECT device, PIRP irp)
{
	if (device != counters_device)
		return supdrv_irp_complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
	return supdrv_counters_read(irp, IoGetCurrentIrpStackLocation(irp));
}

static void device_remove(PDEVICE_OBJECT *device, PUNICODE_STRING link)
{
	if (!*device)
		return;
	IoDeleteSymbolicLink(link);
	IoDeleteDevice(*device);
	*device = NULL;
}

/* Nobody can open it before DriverEntry returns. */
static NTSTATUS device_add(PDRIVER_OBJECT driver, PUNICODE_STRING name, PUNICODE_STRING link,
			   PDEVICE_OBJECT *device)
{
	NTSTATUS status;

	status = IoCreateDevice(driver, 0, name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN,
				FALSE, device);
	if (!NT_SUCCESS(status)) {
		*device = NULL;
		return status;
	}
	(*device)->Flags |= DO_BUFFERED_IO;
	status = supdrv_device_protect(*device);
	if (NT_SUCCESS(status))
		status = IoCreateSymbolicLink(link, name);
	if (!NT_SUCCESS(status)) {
		IoDeleteDevice(*device);
		*device = NULL;
	}
	return status;
}

static void NTAPI driver_unload(PDRIVER_OBJECT driver)
{
	(void)driver;
	supdrv_fault_on_unload();
	device_remove(&client_device, &client_link);
	device_remove(&counters_device, &counters_link);
	supdrv_files_unwatch();
	supdrv_device_destroy(supdrv_windows_device);
}

static NTSTATUS core_create(PUNICODE_STRING service)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(L"ring0_images");
	struct supdrv_config config = {.ring0_images = false};
	ULONG ring0_images = 0;
	NTSTATUS status = supdrv_option_read(service, &name, &ring0_images);

	if (!NT_SUCCESS(status))
		return status;
	config.ring0_images = ring0_images;
#ifdef SUPDRV_FAULTS
	config.extra = &supdrv_fault_request;
	config.extra_count = 1;
#endif
	return supdrv_ntstatus(supdrv_device_create(&config, &supdrv_windows_device));
}

static void dispatch_set(PDRIVER_OBJECT driver)
{
	driver->MajorFunction[IRP_MJ_CREATE] = dispatch_create;
	driver->MajorFunction[IRP_MJ_CLEANUP] = dispatch_cleanup;
	driver->MajorFunction[IRP_MJ_CLOSE] = dispatch_close;
	driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = dispatch_control;
	driver->MajorFunction[IRP_MJ_READ] = dispatch_read;
}

NTSTATUS NTAPI DriverEntry(PDRIVER_OBJECT driver, PUNICODE_STRING service)
{
	NTSTATUS status;

	supdrv_image_memory_init();
	supdrv_files_init(driver, driver_unload);
	dispatch_set(driver);
	status = core_create(service);
	if (!NT_SUCCESS(status))
		return status;
	status = supdrv_files_watch();
	if (!NT_SUCCESS(status))
		goto destroy_core;
	status = device_add(driver, &client_name, &client_link, &client_device);
	if (!NT_SUCCESS(status))
		goto unwatch;
	status = device_add(driver, &counters_name, &counters_link, &counters_device);
	if (!NT_SUCCESS(status))
		goto remove_client;
	SUPDRV_LOG("loaded at %p, %lu bytes\n", driver->DriverStart, driver->DriverSize);
	return STATUS_SUCCESS;

remove_client:
	device_remove(&client_device, &client_link);
unwatch:
	supdrv_files_unwatch();
destroy_core:
	supdrv_device_destroy(supdrv_windows_device);
	return status;
}
