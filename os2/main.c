// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Load and unload, and the commands of request packets. */
#include "devhelp.h"
#include "heap.h"
#include "option.h"
#include "supdrv_os2.h"
#include "text.h"

#define LINE_MAX 256

/* The linker's: where the driver begins and ends. */
extern const char __ehdr_start[] __attribute__((visibility("hidden")));
extern const char _end[] __attribute__((visibility("hidden")));
extern uint32_t os2_device_help;

struct supdrv_device *supdrv_os2_device;

void supdrv_log(const char *format, ...)
{
	char line[LINE_MAX];
	va_list arguments;

	va_start(arguments, format);
	text_format(line, sizeof(line), format, arguments);
	va_end(arguments);
	dh_message(line);
}

static uint16_t options_take(uint32_t line, struct options *options)
{
	const char *bad;
	uintptr_t address;

	if (dh_linear(line, &address))
		return STATUS_INIT_FAILED;
	if (options_read((const char *)address, options, &bad))
		return STATUS_DONE;
	supdrv_log("supdrv: no such option: %s", bad);
	return STATUS_INIT_FAILED;
}

/* Once for each of the two devices; the first one makes the core. */
static uint16_t driver_init(const struct os2_init_request *packet)
{
	struct supdrv_config config = {.ring0_images = false};
	struct options options;
	uint16_t status;

	if (supdrv_os2_device)
		return STATUS_DONE;
	os2_device_help = packet->device_help;
	status = options_take(packet->arguments, &options);
	if (status != STATUS_DONE)
		return status;
	config.ring0_images = options.ring0_images;
#ifdef SUPDRV_FAULTS
	config.extra = &supdrv_fault_request;
	config.extra_count = 1;
#endif
	if (supdrv_device_create(&config, &supdrv_os2_device))
		return STATUS_INIT_FAILED;
	supdrv_log("supdrv: loaded at %p, %lu bytes", (void *)__ehdr_start,
		   (unsigned long)(_end - __ehdr_start));
	return STATUS_DONE;
}

static uint16_t driver_deinstall(void)
{
	if (supdrv_files_any())
		return STATUS_DEVICE_IN_USE;
	if (!supdrv_os2_device)
		return STATUS_DONE;
	supdrv_fault_on_unload();
	supdrv_device_destroy(supdrv_os2_device);
	supdrv_os2_device = NULL;
	return STATUS_DONE;
}

uint16_t supdrv_request(struct os2_request *packet)
{
	switch (packet->command) {
	case CMD_INIT:
		return driver_init((const struct os2_init_request *)packet);
	case CMD_INIT_COMPLETE:
		return STATUS_DONE;
	case CMD_OPEN:
		return supdrv_file_open(((const struct os2_open_request *)packet)->file_number);
	case CMD_CLOSE:
		supdrv_file_close(((const struct os2_open_request *)packet)->file_number);
		return STATUS_DONE;
	case CMD_GENERIC_IOCTL:
		return supdrv_ioctl((struct os2_ioctl_request *)packet);
	case CMD_DEINSTALL:
		return driver_deinstall();
	default:
		return STATUS_UNKNOWN_COMMAND;
	}
}
