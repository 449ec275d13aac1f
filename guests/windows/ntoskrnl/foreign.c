/* SPDX-License-Identifier: MIT */
/*
 * Work on the memory of another process. Wine has the process itself do it, and whoever asked for
 * it waits for ever if the process is killed in the middle. So a thread of its own asks, and who
 * wants the work waits for that thread or for the process to end; in the latter case the thread is
 * left behind. Nothing of the waiting goes through Wine's server.
 */
#include "emulation.h"

#define LOOK (-1000000LL) /* 100 ms: how often to look whether the process still lives */

enum { WAITING, DONE, ABANDONED };

struct job {
	foreign_work work;
	HANDLE process;
	NTSTATUS status;
	LONG state;
	ULONG64 room[]; /* for the arguments */
};

struct helper {
	struct job *volatile job;
};

NTSTATUS NTAPI RtlWaitOnAddress(const volatile void *address, const void *compare, SIZE_T size,
				const LARGE_INTEGER *timeout);
void NTAPI RtlWakeAddressSingle(const volatile void *address);
NTSTATUS NTAPI NtWaitForSingleObject(HANDLE handle, BOOLEAN alertable,
				     const LARGE_INTEGER *timeout);
NTSTATUS NTAPI RtlCreateUserThread(HANDLE process, void *security, BOOLEAN suspended, ULONG zero,
				   SIZE_T reserve, SIZE_T commit, ULONG(NTAPI *start)(void *),
				   void *argument, HANDLE *thread, void *id);
void NTAPI RtlAcquireSRWLockExclusive(void **lock);
void NTAPI RtlReleaseSRWLockExclusive(void **lock);

static struct helper *helper; /* that nobody has left behind */
static void *helper_lock;     /* a slim lock */

static struct job *next_job(struct helper *mine)
{
	struct job *none = NULL;
	struct job *job;

	while (!(job = mine->job)) {
		RtlWaitOnAddress(&mine->job, &none, sizeof(none), NULL);
	}
	mine->job = NULL;
	return job;
}

static ULONG NTAPI help(void *argument)
{
	struct helper *mine = argument;

	for (;;) {
		struct job *job = next_job(mine);

		job->status = job->work(job->process, job->room);
		if (InterlockedCompareExchange(&job->state, DONE, WAITING) != WAITING) {
			memory_put(job);
			memory_put(mine);
			return 0;
		}
		RtlWakeAddressSingle(&job->state);
	}
}

static NTSTATUS helper_make(void)
{
	struct helper *made = memory_get(sizeof(*made));
	NTSTATUS status = STATUS_INSUFFICIENT_RESOURCES;
	HANDLE thread;

	if (made) {
		made->job = NULL;
		status = RtlCreateUserThread(NtCurrentProcess(), NULL, FALSE, 0, 0, 0, help, made,
					     &thread, NULL);
	}
	if (!NT_SUCCESS(status)) {
		memory_put(made);
		return status;
	}
	ZwClose(thread);
	helper = made;
	return STATUS_SUCCESS;
}

static BOOLEAN has_ended(HANDLE process)
{
	LARGE_INTEGER now;

	now.QuadPart = 0;
	return NtWaitForSingleObject(process, FALSE, &now) == STATUS_SUCCESS;
}

/* Whether the job was done, at the latest between two looks at a process that has ended. */
static BOOLEAN wait_for(struct job *job)
{
	BOOLEAN ended = FALSE;
	LONG waiting = WAITING;
	LARGE_INTEGER look;

	look.QuadPart = LOOK;
	while (*(volatile LONG *)&job->state == WAITING) {
		if (RtlWaitOnAddress(&job->state, &waiting, sizeof(waiting), &look) !=
		    STATUS_TIMEOUT) {
			continue;
		}
		if (ended &&
		    InterlockedCompareExchange(&job->state, ABANDONED, WAITING) == WAITING) {
			return FALSE;
		}
		ended = has_ended(job->process);
	}
	return TRUE;
}

/* Whether the job was done; if not, it is the helper's from now on, and the process's handle with
 * it.
 */
static BOOLEAN hand_over(struct job *job)
{
	helper->job = job;
	RtlWakeAddressSingle(&helper->job);
	if (wait_for(job)) {
		return TRUE;
	}
	DbgPrint("ntoskrnl: a process ended in the middle of work on its memory\n");
	helper = NULL;
	return FALSE;
}

static struct job *job_make(HANDLE process, foreign_work work, const void *arguments, SIZE_T size)
{
	struct job *job = memory_get(sizeof(*job) + size);

	if (job) {
		job->work = work;
		job->process = process;
		job->state = WAITING;
		RtlCopyMemory(job->room, arguments, size);
	}
	return job;
}

/* With the lock held. */
static NTSTATUS run(HANDLE *process, foreign_work work, void *arguments, SIZE_T size)
{
	NTSTATUS status = helper ? STATUS_SUCCESS : helper_make();
	struct job *job;

	if (!NT_SUCCESS(status)) {
		return status;
	}
	job = job_make(*process, work, arguments, size);
	if (!job) {
		return STATUS_INSUFFICIENT_RESOURCES;
	}
	if (!hand_over(job)) {
		*process = NULL;
		return STATUS_PROCESS_IS_TERMINATING;
	}
	status = job->status;
	RtlCopyMemory(arguments, job->room, size);
	memory_put(job);
	return status;
}

NTSTATUS foreign_run(HANDLE *process, foreign_work work, void *arguments, SIZE_T size)
{
	NTSTATUS status;

	if (*process == NtCurrentProcess()) {
		return work(*process, arguments);
	}
	RtlAcquireSRWLockExclusive(&helper_lock);
	status = run(process, work, arguments, size);
	RtlReleaseSRWLockExclusive(&helper_lock);
	return status;
}
