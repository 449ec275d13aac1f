/* SPDX-License-Identifier: MIT */
/* Requests to drivers. */
#include "device.h"
#include "process.h"

#define NAME_LENGTH 8
#define NUMBERS	    65535u
#define COUNT_MAX   0xFFFFu

struct driver *drivers;

/* Errors of devices from 0 on; what is not here is ERROR_USER_DEFINED_BASE + the code. */
static const uint16_t errors[] = {
    19,
    20,
    21,
    ERROR_BAD_COMMAND,
    23,
    24,
    25,
    26,
    27,
    28,
    29,
    30,
    ERROR_GEN_FAILURE,
    107,
    110,
    34,
    ERROR_UNCERTAIN_MEDIA,
    ERROR_INTERRUPT,
    165,
    ERROR_INVALID_PARAMETER,
    ERROR_DEVICE_IN_USE,
};

const struct os2_device_header *header_next(const struct os2_device_header *header)
{
	return header->next == DEV_HEADER_END ? NULL
					      : (const struct os2_device_header *)header->next;
}

bool header_named(const struct os2_device_header *header, const char *name)
{
	for (int i = 0; i < NAME_LENGTH; i++) {
		if (*name ? header->name[i] != *name : header->name[i] != ' ')
			return false;
		name += *name != 0;
	}
	return !*name;
}

const struct device *device_find(const char *name)
{
	static struct device found;

	for (found.driver = drivers; found.driver; found.driver = found.driver->next) {
		const struct os2_device_header *header = found.driver->header;

		for (; header; header = header_next(header))
			if (header_named(header, name)) {
				found.header = (struct os2_device_header *)header;
				return &found;
			}
	}
	return NULL;
}

static uint32_t status_error(uint16_t status)
{
	uint8_t code = status & 0xFF;

	if (!(status & STERR))
		return status & STDON ? NO_ERROR
				      : ERROR_GEN_FAILURE; /* it would come later: not here */
	if (status & STDEV || code >= sizeof(errors) / sizeof(*errors))
		return ERROR_USER_DEFINED_BASE + code;
	return errors[code];
}

uint32_t device_request(const struct os2_device_header *header, void *packet, uint8_t command,
			uint8_t length)
{
	struct os2_request *request = packet;

	request->length = length;
	request->command = command;
	call_driver(header->strategy, (uint32_t)packet, 0);
	return status_error(request->status);
}

static uint32_t device_control(struct open_file *f, uint32_t category, uint32_t function,
			       uint32_t parameters, uint32_t *parameters_length, uint32_t data,
			       uint32_t *data_length)
{
	const struct device *d = f->object;
	struct os2_ioctl_request packet;
	uint32_t error;

	memset(&packet, 0, sizeof(packet));
	packet.category = (uint8_t)category;
	packet.function = (uint8_t)function;
	packet.parameters = parameters;
	packet.data = data;
	packet.file_number = f->number;
	packet.parameters_length = (uint16_t)*parameters_length;
	packet.data_length = (uint16_t)*data_length;
	error = device_request(d->header, &packet, CMD_GENERIC_IOCTL, sizeof(packet));
	*parameters_length = packet.parameters_length;
	*data_length = packet.data_length;
	return error;
}

static uint32_t open_or_close(const struct device *d, uint8_t command, uint16_t number)
{
	struct os2_open_request packet;

	if (!(d->header->attributes & DEV_OPEN_CLOSE))
		return NO_ERROR;
	memset(&packet, 0, sizeof(packet));
	packet.file_number = number;
	return device_request(d->header, &packet, command, sizeof(packet));
}

static void device_close(struct open_file *f)
{
	struct device *d = f->object;

	open_or_close(d, CMD_CLOSE, f->number);
	d->driver->opens--;
	heap_drop(d);
}

static uint32_t device_transfer(struct open_file *f, bool write, uint32_t address, uint32_t length,
				uint32_t *done)
{
	const struct device *d = f->object;
	struct os2_read_request packet;
	uint32_t error;

	memset(&packet, 0, sizeof(packet));
	packet.buffer = address;
	packet.count = (uint16_t)(length < COUNT_MAX ? length : COUNT_MAX);
	packet.start = f->position;
	packet.file_number = f->number;
	error = device_request(d->header, &packet, write ? CMD_WRITE : CMD_READ, sizeof(packet));
	*done = error ? 0 : packet.count;
	f->position += *done;
	return error;
}

static const struct file_calls calls = {
    .transfer = device_transfer, .control = device_control, .close = device_close};

static uint16_t next_number(void)
{
	static uint32_t last;

	last = last % NUMBERS + 1;
	return (uint16_t)last;
}

uint32_t device_open(const struct device *device, uint32_t mode, struct open_file **file)
{
	struct device *own = heap_take(sizeof(*own));
	struct open_file *made = own ? file_make(&calls, own, mode) : NULL;
	uint32_t error;

	if (!made) {
		heap_drop(own);
		return ERROR_NOT_ENOUGH_MEMORY;
	}
	*own = *device;
	made->number = next_number();
	own->driver->opens++;
	error = open_or_close(own, CMD_OPEN, made->number);
	if (error) {
		own->driver->opens--;
		heap_drop(own);
		heap_drop(made);
		return error;
	}
	*file = made;
	return NO_ERROR;
}
