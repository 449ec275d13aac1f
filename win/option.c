// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The options of the driver: values of type REG_DWORD in the key Parameters of its service. */
#include "supdrv_windows.h"

#define PARAMETERS L"Parameters"

struct value {
	KEY_VALUE_PARTIAL_INFORMATION head;
	UCHAR data[sizeof(ULONG)];
};

static NTSTATUS key_open(HANDLE parent, PUNICODE_STRING path, HANDLE *key)
{
	OBJECT_ATTRIBUTES attributes;

	InitializeObjectAttributes(&attributes, path, OBJ_CASE_INSENSITIVE | OBJ_KERNEL_HANDLE,
				   parent, NULL);
	return ZwOpenKey(key, KEY_READ, &attributes);
}

static NTSTATUS parameters_open(PUNICODE_STRING service, HANDLE *key)
{
	UNICODE_STRING name = RTL_CONSTANT_STRING(PARAMETERS);
	HANDLE parent;
	NTSTATUS status = key_open(NULL, service, &parent);

	if (!NT_SUCCESS(status))
		return status;
	status = key_open(parent, &name, key);
	ZwClose(parent);
	return status;
}

static NTSTATUS value_read(HANDLE key, PUNICODE_STRING name, ULONG *option)
{
	struct value value;
	ULONG length;
	NTSTATUS status;

	status =
	    ZwQueryValueKey(key, name, KeyValuePartialInformation, &value, sizeof(value), &length);
	if (!NT_SUCCESS(status))
		return status;
	if (value.head.Type != REG_DWORD || value.head.DataLength != sizeof(*option))
		return STATUS_OBJECT_TYPE_MISMATCH;
	memcpy(option, value.head.Data, sizeof(*option));
	return STATUS_SUCCESS;
}

NTSTATUS supdrv_option_read(PUNICODE_STRING service, PUNICODE_STRING name, ULONG *option)
{
	HANDLE key;
	NTSTATUS status = parameters_open(service, &key);

	if (NT_SUCCESS(status)) {
		status = value_read(key, name, option);
		ZwClose(key);
	}
	return status == STATUS_OBJECT_NAME_NOT_FOUND ? STATUS_SUCCESS : status;
}
