/* SPDX-License-Identifier: MIT */
/*
 * Stopping a driver that refuses: one without a routine to unload it goes on running. Wine would
 * report it as about to stop, and nothing would ever report anything else.
 */
#include "emulation.h"

#define INVALID_SERVICE_CONTROL                                                                    \
	((NTSTATUS)0xC007041C) /* what the service manager of Windows answers then */
#define NAME_CHARACTERS 64

NTSTATUS NTAPI ObReferenceObjectByName(UNICODE_STRING *name, ULONG attributes, ACCESS_STATE *state,
				       ACCESS_MASK access, POBJECT_TYPE type, KPROCESSOR_MODE mode,
				       void *context, void **object);
DECLSPEC_IMPORT NTSTATUS NTAPI wine_ZwUnloadDriver(const UNICODE_STRING *service);

/* Puts the name of the driver object of a service, whose key's path is given, into `to`. */
static BOOLEAN driver_name(const UNICODE_STRING *service, WCHAR *to, UNICODE_STRING *name)
{
	static const WCHAR directory[] = L"\\Driver\\";
	ULONG length = service->Length / sizeof(WCHAR);
	ULONG begin = length;
	ULONG used = 0;

	while (begin && service->Buffer[begin - 1] != L'\\') {
		begin--;
	}
	if (length - begin + RTL_NUMBER_OF(directory) > NAME_CHARACTERS) {
		return FALSE;
	}
	while (directory[used]) {
		to[used] = directory[used];
		used++;
	}
	while (begin < length) {
		to[used++] = service->Buffer[begin++];
	}
	name->Buffer = to;
	name->Length = (USHORT)(used * sizeof(WCHAR));
	name->MaximumLength = name->Length;
	return TRUE;
}

NTSTATUS NTAPI ZwUnloadDriver(UNICODE_STRING *service)
{
	WCHAR buffer[NAME_CHARACTERS];
	UNICODE_STRING name;
	void *driver;
	BOOLEAN refuses;

	if (driver_name(service, buffer, &name) &&
	    NT_SUCCESS(ObReferenceObjectByName(&name, OBJ_CASE_INSENSITIVE, NULL, 0, NULL,
					       KernelMode, NULL, &driver))) {
		refuses = !((PDRIVER_OBJECT)driver)->DriverUnload;
		ObDereferenceObject(driver);
		if (refuses) {
			return INVALID_SERVICE_CONTROL;
		}
	}
	return wine_ZwUnloadDriver(service);
}
