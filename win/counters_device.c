// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the administrator reads of the driver: its counters as text, and which build it is. */
#include "supdrv_windows.h"

#define BUILD_ID_OFFSET 0x10000
#define BUILD_ID_BYTES	20

/* In a section of its own, so that it can be read from the file as well. */
static const volatile UCHAR build_id[BUILD_ID_BYTES]
    __attribute__((section(".buildid"), used)) = {SUPDRV_BUILD_ID};

/* Copies what lies from offset on. */
static NTSTATUS part_read(PIRP irp, ULONG room, const void *from, size_t size, uint64_t offset)
{
	ULONG_PTR length;

	if (offset >= size)
		return supdrv_irp_complete(irp, STATUS_END_OF_FILE, 0);
	length = size - (size_t)offset;
	if (length > room)
		length = room;
	memcpy(irp->AssociatedIrp.SystemBuffer, (const char *)from + offset, length);
	return supdrv_irp_complete(irp, STATUS_SUCCESS, length);
}

NTSTATUS supdrv_counters_read(PIRP irp, PIO_STACK_LOCATION stack)
{
	const uint64_t offset = (uint64_t)stack->Parameters.Read.ByteOffset.QuadPart;
	const ULONG room = stack->Parameters.Read.Length;
	char text[SUPDRV_COUNTERS_TEXT_SIZE];
	size_t length;

	if (offset >= BUILD_ID_OFFSET)
		return part_read(irp, room, (const void *)build_id, sizeof(build_id),
				 offset - BUILD_ID_OFFSET);
	length = supdrv_counters_format(supdrv_windows_device, text, sizeof(text));
	return part_read(irp, room, text, length, offset);
}
