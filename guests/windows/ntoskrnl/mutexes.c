/* SPDX-License-Identifier: MIT */
/*
 * Mutexes of this process alone: a handful of instructions, where Wine's own have its server make,
 * wait for and close an object each time. A mutex of ours is told by the word in its list of
 * waiters, which nothing else uses.
 */
#include "emulation.h"

#define OURS		((void *)(ULONG_PTR)0x6D757478u)
#define MUTEX_TYPE	2

#define BUG_MUTEX_LEVEL 0x3Eu /* what Windows says of a mutex that is not the thread's */

DECLSPEC_IMPORT NTSTATUS NTAPI wine_KeWaitForSingleObject(void *object, KWAIT_REASON reason,
							  KPROCESSOR_MODE mode, BOOLEAN alertable,
							  PLARGE_INTEGER timeout);
void NTAPI RtlAcquireSRWLockExclusive(void **lock);
BOOLEAN NTAPI RtlTryAcquireSRWLockExclusive(void **lock);
void NTAPI RtlReleaseSRWLockExclusive(void **lock);
DECLSPEC_IMPORT ULONG NTAPI GetCurrentThreadId(void);

static void **slim_lock(PRKMUTEX mutex)
{
	return (void **)&mutex->MutantListEntry.Flink;
}

static PRKTHREAD this_thread(void)
{
	return (PRKTHREAD)(ULONG_PTR)GetCurrentThreadId();
}

void NTAPI KeInitializeMutex(PRKMUTEX mutex, ULONG level)
{
	UNREFERENCED_PARAMETER(level);
	RtlZeroMemory(mutex, sizeof(*mutex));
	mutex->Header.Type = MUTEX_TYPE;
	mutex->Header.SignalState = 1;
	mutex->Header.WaitListHead.Flink = OURS;
}

static BOOLEAN acquire(PRKMUTEX mutex, BOOLEAN wait)
{
	if (mutex->OwnerThread != this_thread()) {
		if (wait) {
			RtlAcquireSRWLockExclusive(slim_lock(mutex));
		} else if (!RtlTryAcquireSRWLockExclusive(slim_lock(mutex))) {
			return FALSE;
		}
		mutex->OwnerThread = this_thread();
	}
	mutex->Header.SignalState--;
	return TRUE;
}

LONG NTAPI KeReleaseMutex(PRKMUTEX mutex, BOOLEAN wait)
{
	LONG before = mutex->Header.SignalState;

	UNREFERENCED_PARAMETER(wait);
	if (mutex->OwnerThread != this_thread()) {
		bug_check(BUG_MUTEX_LEVEL, (ULONG_PTR)mutex,
			  (ULONG_PTR)__builtin_return_address(0));
	}
	if (++mutex->Header.SignalState == 1) {
		mutex->OwnerThread = NULL;
		RtlReleaseSRWLockExclusive(slim_lock(mutex));
	}
	return before;
}

NTSTATUS NTAPI KeWaitForSingleObject(void *object, KWAIT_REASON reason, KPROCESSOR_MODE mode,
				     BOOLEAN alertable, PLARGE_INTEGER timeout)
{
	PRKMUTEX mutex = object;

	if (mutex->Header.Type != MUTEX_TYPE || mutex->Header.WaitListHead.Flink != OURS) {
		return wine_KeWaitForSingleObject(object, reason, mode, alertable, timeout);
	}
	if (timeout && timeout->QuadPart) {
		return STATUS_NOT_IMPLEMENTED; /* nobody asks for it */
	}
	return acquire(mutex, !timeout) ? STATUS_SUCCESS : STATUS_TIMEOUT;
}
