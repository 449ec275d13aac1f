/* SPDX-License-Identifier: MIT */
/* Lists with room for all their frames: Wine's own are too short for frames of 64 bits. */
#include "emulation.h"

SIZE_T NTAPI MmSizeOfMdl(void *address, SIZE_T size)
{
	return sizeof(MDL) + ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, size) * sizeof(PFN_NUMBER);
}

/* Wine's IoFreeMdl gives it back to the pool. */
PMDL NTAPI IoAllocateMdl(void *address, ULONG size, BOOLEAN secondary, BOOLEAN charge, PIRP irp)
{
	SIZE_T room = MmSizeOfMdl(address, size);
	PMDL mdl = ExAllocatePoolWithTag(NonPagedPool, room, 'ldMm');

	UNREFERENCED_PARAMETER(charge);
	if (!mdl) {
		return NULL;
	}
	RtlZeroMemory(mdl, room);
	MmInitializeMdl(mdl, address, size);
	if (irp && !secondary) {
		irp->MdlAddress = mdl;
	}
	return mdl;
}
