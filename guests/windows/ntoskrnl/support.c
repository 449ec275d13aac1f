/* SPDX-License-Identifier: MIT */
/* What the rest stands on: heap, lock, bug checks; and the calls that have nothing to do with
 * memory's whereabouts. */
#include "emulation.h"

#define POOL_FLAG_UNINITIALIZED 0x2
#define PROCESS_BEGINS		1
#define TIMER_RESOLUTION	156250u	   /* 100 ns; what Windows has if nobody asks for another */
#define FLUSH_STEP		(-10000LL) /* 1 ms */

NTSTATUS NTAPI RtlQueueWorkItem(void(NTAPI *function)(void *), void *context, ULONG flags);
BOOL NTAPI RtlQueryPerformanceCounter(LARGE_INTEGER *counter);
void NTAPI RtlAcquireSRWLockExclusive(void **lock);
void NTAPI RtlReleaseSRWLockExclusive(void **lock);
DECLSPEC_NORETURN void NTAPI RtlRaiseStatus(NTSTATUS status);
NTSTATUS NTAPI NtQuerySystemTime(LARGE_INTEGER *time);
NTSTATUS NTAPI NtDelayExecution(BOOLEAN alertable, const LARGE_INTEGER *interval);
DECLSPEC_IMPORT HANDLE NTAPI GetProcessHeap(void);

static void *memory; /* a slim lock */
static volatile LONG dpcs_under_way;

void memory_lock(void)
{
	RtlAcquireSRWLockExclusive(&memory);
}

void memory_unlock(void)
{
	RtlReleaseSRWLockExclusive(&memory);
}

void *memory_get(SIZE_T size)
{
	return RtlAllocateHeap(GetProcessHeap(), 0, size);
}

void memory_put(void *piece)
{
	RtlFreeHeap(GetProcessHeap(), 0, piece);
}

/* These two are for the compiler, which writes calls of them. */
void *memcpy(void *to, const void *from, size_t count)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(count) : : "memory");
	return to;
}

void *memset(void *at, int value, size_t count)
{
	void *to = at;

	__asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(value) : "memory");
	return at;
}

void bug_check(ULONG code, ULONG_PTR what, ULONG_PTR where)
{
	DbgPrint("ntoskrnl: bug check 0x%lx (0x%p) from 0x%p\n", code, (void *)what, (void *)where);
	KeBugCheckEx(code, what, where, 0, 0);
}

BOOL NTAPI DllMain(void *module, ULONG reason, void *reserved)
{
	UNREFERENCED_PARAMETER(module);
	UNREFERENCED_PARAMETER(reserved);
	return reason != PROCESS_BEGINS || process_attach_init();
}

void NTAPI ExRaiseStatus(NTSTATUS status)
{
	RtlRaiseStatus(status);
}

void NTAPI ExRaiseAccessViolation(void)
{
	RtlRaiseStatus(STATUS_ACCESS_VIOLATION);
}

void NTAPI ExRaiseDatatypeMisalignment(void)
{
	RtlRaiseStatus(STATUS_DATATYPE_MISALIGNMENT);
}

/* Buffers of a request are copies in this process, so nothing of the client's can be touched here.
 */
static void check_range(const void *address, SIZE_T size, ULONG alignment)
{
	ULONG_PTR begin = (ULONG_PTR)address;

	if (size == 0) {
		return;
	}
	if (begin & (alignment - 1)) {
		ExRaiseDatatypeMisalignment();
	}
	if (begin + size < begin || begin + size > USER_END) {
		ExRaiseAccessViolation();
	}
}

void NTAPI ProbeForRead(const void *address, SIZE_T size, ULONG alignment)
{
	check_range(address, size, alignment);
}

void NTAPI ProbeForWrite(void *address, SIZE_T size, ULONG alignment)
{
	check_range(address, size, alignment);
}

void *NTAPI ExAllocatePool2(ULONG64 flags, SIZE_T size, ULONG tag)
{
	void *piece = ExAllocatePoolWithTag(NonPagedPool, size, tag);

	if (piece && !(flags & POOL_FLAG_UNINITIALIZED)) {
		RtlZeroMemory(piece, size);
	}
	return piece;
}

ULONG_PTR NTAPI KeIpiGenericCall(PKIPI_BROADCAST_WORKER function, ULONG_PTR context)
{
	return function(context);
}

ULONG64 NTAPI KeQueryInterruptTimePrecise(PULONG64 counter)
{
	LARGE_INTEGER now;

	RtlQueryPerformanceCounter(&now); /* counts 100 ns */
	*counter = (ULONG64)now.QuadPart;
	return (ULONG64)now.QuadPart;
}

void NTAPI KeQuerySystemTimePrecise(PLARGE_INTEGER time)
{
	NtQuerySystemTime(time);
}

static void NTAPI run_dpc(PRKDPC dpc, void *context, void *first, void *second)
{
	PKDEFERRED_ROUTINE routine = (PKDEFERRED_ROUTINE)dpc->DpcListEntry.Flink;

	InterlockedIncrement(&dpcs_under_way);
	routine(dpc, context, first, second);
	InterlockedDecrement(&dpcs_under_way);
}

/* Wine's says each time that it is not complete, and what is said goes over a slow line. So do the
 * two below it. */
void NTAPI KeInitializeDpc(PRKDPC dpc, PKDEFERRED_ROUTINE routine, void *context)
{
	dpc->DeferredRoutine = run_dpc;
	dpc->DeferredContext = context;
	dpc->DpcListEntry.Flink = (void *)routine;
	dpc->DpcListEntry.Blink = NULL;
}

ULONG NTAPI ExSetTimerResolution(ULONG wanted, BOOLEAN set)
{
	return set ? wanted : TIMER_RESOLUTION;
}

NTSTATUS NTAPI PsSetCreateProcessNotifyRoutine(PCREATE_PROCESS_NOTIFY_ROUTINE routine,
					       BOOLEAN remove)
{
	UNREFERENCED_PARAMETER(routine);
	UNREFERENCED_PARAMETER(remove);
	return STATUS_SUCCESS; /* it is never called */
}

static void NTAPI run_queued(void *context)
{
	PRKDPC dpc = context;

	InterlockedExchangePointer((void *volatile *)&dpc->DpcListEntry.Blink, NULL);
	run_dpc(dpc, dpc->DeferredContext, dpc->SystemArgument1, dpc->SystemArgument2);
	InterlockedDecrement(&dpcs_under_way);
}

BOOLEAN NTAPI KeInsertQueueDpc(PRKDPC dpc, void *first, void *second)
{
	if (InterlockedExchangePointer((void *volatile *)&dpc->DpcListEntry.Blink, dpc)) {
		return FALSE;
	}
	dpc->SystemArgument1 = first;
	dpc->SystemArgument2 = second;
	InterlockedIncrement(&dpcs_under_way);
	if (!NT_SUCCESS(RtlQueueWorkItem(run_queued, dpc, 0))) {
		bug_check(BUG_DPC_LOST, (ULONG_PTR)dpc, (ULONG_PTR)__builtin_return_address(0));
	}
	return TRUE;
}

void NTAPI KeFlushQueuedDpcs(void)
{
	LARGE_INTEGER step;

	step.QuadPart = FLUSH_STEP;
	do {
		NtDelayExecution(FALSE, &step);
	} while (dpcs_under_way);
}

#ifdef _X86_
/* In 100 ns, as documented; read until both halves of the upper word agree. */
ULONG64 NTAPI KeQueryInterruptTime(void)
{
	const volatile KSYSTEM_TIME *time = (const volatile KSYSTEM_TIME *)SHARED_INTERRUPT_TIME;
	ULONG64 high;
	ULONG low;

	do {
		high = (ULONG)time->High1Time;
		low = time->LowPart;
	} while (high != (ULONG)time->High2Time);
	return high << 32 | low;
}
#endif
