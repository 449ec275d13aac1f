// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * The transport of requests. The I/O manager has copied the input of a slow request already and
 * copies its output when it is complete; a fast one has the client's own address.
 */
#include "supdrv_windows.h"
#include "guarded.h"
#include "supdrv_ioc.h"

NTSTATUS supdrv_irp_complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
	irp->IoStatus.Status = status;
	irp->IoStatus.Information = information;
	IoCompleteRequest(irp, IO_NO_INCREMENT);
	return status;
}

static bool is_other_word_size(PIRP irp)
{
#if SUP_IOCTL_FLAG != 0
	return IoIs32bitProcess(irp);
#else
	(void)irp;
	return false;
#endif
}

/* The client has its result only if there is room for it: then nothing runs without. */
static NTSTATUS fast_request(struct supdrv_session *session, PIRP irp, PIO_STACK_LOCATION stack,
			     ULONG *returned)
{
	NTSTATUS raised;
	int32_t result;

	if (stack->Parameters.DeviceIoControl.OutputBufferLength < sizeof(result))
		return STATUS_INVALID_PARAMETER;
	supdrv_fast_run(session, stack->Parameters.DeviceIoControl.IoControlCode, &result);
	raised = supdrv_guarded_store(irp->UserBuffer, result);
	if (raised)
		return raised;
	*returned = sizeof(result);
	return STATUS_SUCCESS;
}

/* The system's buffer is as long as the longer of both lengths, so it is the core's as it is. */
static NTSTATUS slow_request(struct supdrv_session *session, PIRP irp, PIO_STACK_LOCATION stack,
			     ULONG *returned)
{
	struct supdrv_call call;
	int32_t status;

	status = supdrv_call_prepare(session, stack->Parameters.DeviceIoControl.IoControlCode,
				     stack->Parameters.DeviceIoControl.InputBufferLength,
				     stack->Parameters.DeviceIoControl.OutputBufferLength, &call);
	if (status)
		return supdrv_ntstatus(status);
	call.buffer = irp->AssociatedIrp.SystemBuffer;
	if (call.buffer_size > call.in_size)
		memset((char *)call.buffer + call.in_size, 0, call.buffer_size - call.in_size);
	status = supdrv_call_run(session, &call);
	if (!status)
		*returned = call.returned;
	return supdrv_ntstatus(status);
}

static bool is_fast(ULONG number)
{
	return number == SUP_IOCTL_FAST_DO_RAW_RUN || number == SUP_IOCTL_FAST_DO_HWACC_RUN ||
	       number == SUP_IOCTL_FAST_DO_NOP;
}

NTSTATUS supdrv_request_run(struct supdrv_file *file, PIRP irp, PIO_STACK_LOCATION stack)
{
	struct supdrv_session *session;
	ULONG returned = 0;
	NTSTATUS status;

	if (is_other_word_size(irp))
		return supdrv_irp_complete(irp, STATUS_NOT_SUPPORTED, 0);
	status = supdrv_file_enter(file, &session);
	if (!NT_SUCCESS(status))
		return supdrv_irp_complete(irp, status, 0);
	if (is_fast(stack->Parameters.DeviceIoControl.IoControlCode))
		status = fast_request(session, irp, stack, &returned);
	else
		status = slow_request(session, irp, stack, &returned);
	supdrv_file_leave(file);
	return supdrv_irp_complete(irp, status, returned);
}
