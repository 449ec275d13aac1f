/* SPDX-License-Identifier: MIT */
/* Whose addresses a thread means, and reading and writing those of another process. */
#include "emulation.h"

NTSTATUS NTAPI ZwReadVirtualMemory(HANDLE process, void *from, void *to, SIZE_T size, SIZE_T *done);
NTSTATUS NTAPI ZwWriteVirtualMemory(HANDLE process, void *to, void *from, SIZE_T size,
				    SIZE_T *done);
DECLSPEC_IMPORT PEPROCESS NTAPI wine_IoGetCurrentProcess(void);
DECLSPEC_IMPORT ULONG NTAPI TlsAlloc(void);
DECLSPEC_IMPORT void *NTAPI TlsGetValue(ULONG index);
DECLSPEC_IMPORT BOOL NTAPI TlsSetValue(ULONG index, void *value);

#define NO_INDEX 0xFFFFFFFFu
#define PIECE	 (16 * PAGE_SIZE)

static ULONG attached = NO_INDEX;

BOOLEAN process_attach_init(void)
{
	attached = TlsAlloc();
	return attached != NO_INDEX;
}

PEPROCESS process_now(void)
{
	PEPROCESS process = TlsGetValue(attached);

	return process ? process : wine_IoGetCurrentProcess();
}

HANDLE process_handle(PEPROCESS process)
{
	HANDLE handle = NULL;

	ObOpenObjectByPointer(process, OBJ_KERNEL_HANDLE, NULL, PROCESS_ALL_ACCESS,
			      (POBJECT_TYPE)PsProcessType, KernelMode, &handle);
	return handle;
}

PEPROCESS NTAPI IoGetCurrentProcess(void)
{
	return process_now();
}

#undef PsGetCurrentProcess /* the headers make it the other */
PEPROCESS NTAPI PsGetCurrentProcess(void)
{
	return process_now();
}

ULONG NTAPI IoGetRequestorProcessId(PIRP irp)
{
	return (ULONG)(ULONG_PTR)PsGetProcessId(IoGetRequestorProcess(irp));
}

void NTAPI KeStackAttachProcess(PKPROCESS process, PKAPC_STATE state)
{
	state->Process = TlsGetValue(attached);
	TlsSetValue(attached, process);
}

void NTAPI KeUnstackDetachProcess(PKAPC_STATE state)
{
	TlsSetValue(attached, state->Process);
}

static NTSTATUS copy_pieces(HANDLE from, char *source, HANDLE to, char *target, SIZE_T size,
			    SIZE_T *done)
{
	char *piece = memory_get(PIECE);
	NTSTATUS status = piece ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;

	while (NT_SUCCESS(status) && *done < size) {
		SIZE_T now = min(size - *done, PIECE);

		status = ZwReadVirtualMemory(from, source + *done, piece, now, NULL);
		if (NT_SUCCESS(status)) {
			status = ZwWriteVirtualMemory(to, target + *done, piece, now, NULL);
		}
		if (NT_SUCCESS(status)) {
			*done += now;
		}
	}
	memory_put(piece);
	return status;
}

NTSTATUS NTAPI MmCopyVirtualMemory(PEPROCESS from, void *source, PEPROCESS to, void *target,
				   SIZE_T size, KPROCESSOR_MODE mode, SIZE_T *done)
{
	HANDLE reader = process_handle(from);
	HANDLE writer = process_handle(to);
	NTSTATUS status = STATUS_ACCESS_DENIED;

	UNREFERENCED_PARAMETER(mode);
	*done = 0;
	if (reader && writer) {
		status = copy_pieces(reader, source, writer, target, size, done);
	}
	if (reader) {
		ZwClose(reader);
	}
	if (writer) {
		ZwClose(writer);
	}
	return status;
}
