// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the core needs from FreeBSD. */
#include "supdrv_freebsd.h"
#include "supdrv_glue.h"

#include <sys/mutex.h>
#include <sys/pcpu.h>
#include <sys/proc.h>
#include <sys/sched.h>
#include <sys/signalvar.h>

#include <machine/cpufunc.h>
#include <machine/specialreg.h>

/* Above this the kernel is not made to wait until there is enough: that may be for ever. */
#define MEMORY_SMALL (64u * 1024)

#define FEATURE_NX   (1u << 20)
#define FEATURE_LM   (1u << 29)

void *supdrv_memory_alloc(size_t size)
{
	return malloc(size, M_SUPDRV, M_ZERO | (size <= MEMORY_SMALL ? M_WAITOK : M_NOWAIT));
}

/* A kill that has not been acted upon yet is only pending. */
bool supdrv_thread_is_killed(void)
{
	struct thread *thread = curthread;
	struct proc *process = curproc;
	bool killed;

	PROC_LOCK(process);
	killed = (process->p_flag & (P_WKILLED | P_WEXIT | P_SINGLE_EXIT)) ||
		 SIGISMEMBER(process->p_siglist, SIGKILL) ||
		 SIGISMEMBER(thread->td_siglist, SIGKILL);
	PROC_UNLOCK(process);
	return killed;
}

void *supdrv_os_alloc(size_t size)
{
	return supdrv_memory_alloc(size);
}

void supdrv_os_free(void *memory)
{
	free(memory, M_SUPDRV);
}

void supdrv_os_random(void *memory, size_t size)
{
	arc4random_buf(memory, size);
}

void supdrv_os_lock_init(struct supdrv_lock *lock)
{
	sx_init(&lock->sx, "supdrv");
}

void supdrv_os_lock_destroy(struct supdrv_lock *lock)
{
	sx_destroy(&lock->sx);
}

void supdrv_os_lock_acquire(struct supdrv_lock *lock)
{
	sx_xlock(&lock->sx);
}

void supdrv_os_lock_release(struct supdrv_lock *lock)
{
	sx_xunlock(&lock->sx);
}

static uint32_t features_read(void)
{
	u_int registers[4];

	do_cpuid(0x80000000, registers);
	if (registers[0] < 0x80000001)
		return 0;
	do_cpuid(0x80000001, registers);
	return registers[3];
}

void supdrv_os_paging_read(struct supdrv_paging *paging)
{
	memset(paging, 0, sizeof(*paging));
	sched_pin();
	paging->cr0 = rcr0();
	paging->cr4 = rcr4();
	paging->features = features_read();
	if ((paging->cr4 & CR4_PAE) && (paging->features & (FEATURE_NX | FEATURE_LM)))
		paging->efer = rdmsr(MSR_EFER);
	sched_unpin();
}
