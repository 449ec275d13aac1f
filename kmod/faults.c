// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Fails on request. Built only with SUPDRV_FAULTS=1, for kernels that are thrown away afterwards.
 */
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/delay.h>
#include <linux/irq_work.h>
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "supdrv_linux.h"
#include "supdrv_fault.h"

#define LATE_MS	     3000
#define LEAKED_BYTES 1000
#define WRONG_ANSWER 0xDEADBEEF

static DEFINE_SPINLOCK(fault_lock);
static DEFINE_MUTEX(fault_first);
static DEFINE_MUTEX(fault_second);
static DECLARE_WAIT_QUEUE_HEAD(fault_queue);

/* Three frames that a backtrace has to show; barrier() keeps them from becoming jumps. */
static noinline void supdrv_fault_null_write(void)
{
	int *nowhere = NULL;

	OPTIMIZER_HIDE_VAR(nowhere);
	WRITE_ONCE(*nowhere, 1);
}

static noinline void supdrv_fault_inner(void)
{
	supdrv_fault_null_write();
	barrier();
}

static noinline void supdrv_fault_outer(void)
{
	supdrv_fault_inner();
	barrier();
}

static void supdrv_fault_in_interrupt(struct irq_work *work)
{
	supdrv_fault_outer();
	barrier();
}

static void fault_interrupt(void)
{
	static struct irq_work work;

	init_irq_work(&work, supdrv_fault_in_interrupt);
	irq_work_queue(&work);
	irq_work_sync(&work);
}

static void fault_spin(void)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void fault_bug_with_lock(void)
{
	bool always = true;

	OPTIMIZER_HIDE_VAR(always);
	spin_lock(&fault_lock);
	BUG_ON(always);
	spin_unlock(&fault_lock);
}

/* The following three go unnoticed but on a kernel that is built to notice them. */
static noinline void supdrv_fault_use_after_free(void)
{
	uint32_t *gone = kmalloc(sizeof(*gone), GFP_KERNEL);

	kfree(gone);
	OPTIMIZER_HIDE_VAR(gone);
	if (gone)
		READ_ONCE(*gone);
}

static noinline void supdrv_fault_leak(void)
{
	void *lost = kmalloc(LEAKED_BYTES, GFP_KERNEL);

	OPTIMIZER_HIDE_VAR(lost);
}

static void fault_lock_inversion(void)
{
	mutex_lock(&fault_first);
	mutex_lock(&fault_second);
	mutex_unlock(&fault_second);
	mutex_unlock(&fault_first);

	mutex_lock(&fault_second);
	mutex_lock(&fault_first);
	mutex_unlock(&fault_first);
	mutex_unlock(&fault_second);
}

static int32_t fault_run(struct supdrv_session *session, struct supdrv_call *call)
{
	uint32_t fault = ((const SUPTESTFAULT_IN *)call->buffer)->uFault;
	SUPTESTFAULT_OUT *out;

	switch (fault) {
	case SUPTESTFAULT_NONE:
	case SUPTESTFAULT_WRONG_ANSWER:
		break;
	case SUPTESTFAULT_PANIC:
		panic("supdrv: panic on request");
	case SUPTESTFAULT_OOPS:
		supdrv_fault_outer();
		break;
	case SUPTESTFAULT_HANG:
		wait_event(fault_queue, false);
		break;
	case SUPTESTFAULT_SPIN:
		fault_spin();
		break;
	case SUPTESTFAULT_WARN:
		WARN_ON(true);
		break;
	case SUPTESTFAULT_OOPS_IN_INTERRUPT:
		fault_interrupt();
		break;
	case SUPTESTFAULT_LATE:
		msleep(LATE_MS);
		break;
	case SUPTESTFAULT_BUG_WITH_LOCK:
		fault_bug_with_lock();
		break;
	case SUPTESTFAULT_REBOOT:
		emergency_restart();
		break;
	case SUPTESTFAULT_USE_AFTER_FREE:
		supdrv_fault_use_after_free();
		break;
	case SUPTESTFAULT_LEAK:
		supdrv_fault_leak();
		break;
	case SUPTESTFAULT_LOCK_INVERSION:
		fault_lock_inversion();
		break;
	default:
		return SUPDRV_ERR_INVALID_PARAM;
	}

	out = supdrv_call_output(call, sizeof(*out));
	out->uAnswer = fault == SUPTESTFAULT_WRONG_ANSWER ? WRONG_ANSWER : fault;
	return SUPDRV_OK;
}

const struct supdrv_request supdrv_fault_request = {
    .number = SUP_IOCTL_TEST_FAULT,
    .in_min = sizeof(SUPTESTFAULT_IN),
    .in_max = sizeof(SUPTESTFAULT_IN),
    .out_min = sizeof(SUPTESTFAULT_OUT),
    .out_max = sizeof(SUPTESTFAULT_OUT),
    .out_most = sizeof(SUPTESTFAULT_OUT),
    .handle = fault_run,
};
