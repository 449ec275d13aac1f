// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The device that tells the driver's counters as text, to whoever reads it. */
#include "devhelp.h"
#include "supdrv_os2.h"

#pragma pack(push, 1)
struct read_request {
	struct os2_request header;
	uint8_t media;
	uint32_t address; /* of the reader's memory */
	uint16_t count;	  /* of bytes wanted, then of bytes read */
	uint32_t start;	  /* where in the text */
	uint16_t file_number;
};
#pragma pack(pop)

_Static_assert(offsetof(struct read_request, address) == 14, "published layout");
_Static_assert(offsetof(struct read_request, count) == 18, "published layout");

static uint16_t counters_read(struct read_request *packet)
{
	char text[SUPDRV_COUNTERS_TEXT_SIZE];
	const size_t length = supdrv_counters_format(supdrv_os2_device, text, sizeof(text));
	size_t part = packet->start < length ? length - packet->start : 0;
	uintptr_t to;

	if (part > packet->count)
		part = packet->count;
	packet->count = 0;
	if (dh_linear(packet->address, &to) || !supdrv_client_write(to, text + packet->start, part))
		return STATUS_INVALID_PARAMETER;
	packet->count = (uint16_t)part;
	return STATUS_DONE;
}

uint16_t supdrv_counters_request(struct os2_request *packet)
{
	switch (packet->command) {
	case CMD_INIT:
	case CMD_INIT_COMPLETE:
	case CMD_OPEN:
	case CMD_CLOSE:
	case CMD_DEINSTALL:
		return STATUS_DONE;
	case CMD_READ:
		return counters_read((struct read_request *)packet);
	default:
		return STATUS_UNKNOWN_COMMAND;
	}
}
