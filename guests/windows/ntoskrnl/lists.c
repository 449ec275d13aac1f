/* SPDX-License-Identifier: MIT */
/* Lists with room for all their frames: Wine's own are too short for frames of 64 bits. */
#include "emulation.h"

DECLSPEC_IMPORT void NTAPI wine_IoFreeMdl(PMDL mdl);

SIZE_T NTAPI MmSizeOfMdl(void *address, SIZE_T size)
{
	return sizeof(MDL) + ADDRESS_AND_SIZE_TO_SPAN_PAGES(address, size) * sizeof(PFN_NUMBER);
}

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

/* Windows notices at the end of the process whose pages are locked still; nobody can unlock them.
 */
void NTAPI IoFreeMdl(PMDL mdl)
{
	if (mdl->MdlFlags & MDL_PAGES_LOCKED) {
		bug_check(BUG_PROCESS_HAS_LOCKED_PAGES, (ULONG_PTR)mdl,
			  (ULONG_PTR)__builtin_return_address(0));
	}
	wine_IoFreeMdl(mdl);
}
