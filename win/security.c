// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Who may open the device: in words of SDDL, D:P(A;;FA;;;SY)(A;;FA;;;BA). */
#include <ntifs.h>

#include "supdrv_windows.h"

#define ACL_BYTES 128

struct sid {
	UCHAR revision;
	UCHAR count;
	UCHAR authority[6];
	ULONG parts[2];
};

static const struct sid local_system = {SID_REVISION, 1, {0, 0, 0, 0, 0, 5}, {18}};
static const struct sid administrators = {SID_REVISION, 2, {0, 0, 0, 0, 0, 5}, {32, 544}};

static NTSTATUS list_make(PACL list)
{
	NTSTATUS status = RtlCreateAcl(list, ACL_BYTES, ACL_REVISION);

	if (NT_SUCCESS(status))
		status = RtlAddAccessAllowedAce(list, ACL_REVISION, FILE_ALL_ACCESS,
						(PSID)&local_system);
	if (NT_SUCCESS(status))
		status = RtlAddAccessAllowedAce(list, ACL_REVISION, FILE_ALL_ACCESS,
						(PSID)&administrators);
	return status;
}

static NTSTATUS descriptor_make(PSECURITY_DESCRIPTOR descriptor, PACL list)
{
	NTSTATUS status = list_make(list);

	if (NT_SUCCESS(status))
		status = RtlCreateSecurityDescriptor(descriptor, SECURITY_DESCRIPTOR_REVISION);
	if (NT_SUCCESS(status))
		status = RtlSetDaclSecurityDescriptor(descriptor, TRUE, list, FALSE);
	return status;
}

NTSTATUS supdrv_device_protect(PDEVICE_OBJECT device)
{
	SECURITY_DESCRIPTOR descriptor;
	union {
		ACL list;
		UCHAR bytes[ACL_BYTES];
	} acl;
	HANDLE handle;
	NTSTATUS status = descriptor_make(&descriptor, &acl.list);

	if (!NT_SUCCESS(status))
		return status;
	status = ObOpenObjectByPointer(device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, NULL, KernelMode,
				       &handle);
	if (!NT_SUCCESS(status))
		return status;
	status = ZwSetSecurityObject(handle, DACL_SECURITY_INFORMATION, &descriptor);
	ZwClose(handle);
	return status;
}
