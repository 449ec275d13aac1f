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
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "supdrv_linux.h"
#include "supdrv_fault.h"
#include "supdrv_faults.h"

/* Within the deadline of a request, whatever the guest, and beyond it. */
#define LATE_MS	     1000
#define TOO_LATE_MS  120000
#define WRONG_ANSWER 0xDEADBEEF

static DEFINE_SPINLOCK(fault_lock);
static DEFINE_MUTEX(fault_first);
static DEFINE_MUTEX(fault_second);
static DECLARE_WAIT_QUEUE_HEAD(fault_queue);
static bool unload_fails;

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

static void fault_nothing(struct supdrv_session *session)
{
}

static void fault_panic(struct supdrv_session *session)
{
	panic("supdrv: panic on request");
}

static void fault_oops(struct supdrv_session *session)
{
	supdrv_fault_outer();
	barrier();
}

static void fault_hang(struct supdrv_session *session)
{
	wait_event(fault_queue, false);
}

static void fault_spin(struct supdrv_session *session)
{
	local_irq_disable();
	for (;;)
		cpu_relax();
}

static void fault_warn(struct supdrv_session *session)
{
	WARN_ON(true);
}

static void supdrv_fault_in_interrupt(struct irq_work *work)
{
	supdrv_fault_outer();
	barrier();
}

static void fault_interrupt(struct supdrv_session *session)
{
	static struct irq_work work;

	init_irq_work(&work, supdrv_fault_in_interrupt);
	irq_work_queue(&work);
	irq_work_sync(&work);
}

static void fault_late(struct supdrv_session *session)
{
	msleep(LATE_MS);
}

static void fault_too_late(struct supdrv_session *session)
{
	msleep(TOO_LATE_MS);
}

static void fault_bug_with_lock(struct supdrv_session *session)
{
	bool always = true;

	OPTIMIZER_HIDE_VAR(always);
	spin_lock(&fault_lock);
	BUG_ON(always);
	spin_unlock(&fault_lock);
}

static void fault_reboot(struct supdrv_session *session)
{
	emergency_restart();
}

static void fault_lock_inversion(struct supdrv_session *session)
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

static void fault_deadlock(struct supdrv_session *session)
{
	mutex_lock(&fault_first);
	mutex_lock(&fault_first);
	mutex_unlock(&fault_first);
}

static void fault_flood(struct supdrv_session *session)
{
	unsigned long line;

	for (line = 1;; line++) {
		pr_info("supdrv: line %lu of as many as the console takes\n", line);
		cond_resched();
	}
}

static void fault_unload(struct supdrv_session *session)
{
	WRITE_ONCE(unload_fails, true);
}

void supdrv_fault_on_unload(void)
{
	if (READ_ONCE(unload_fails))
		supdrv_fault_outer();
	barrier();
}

static supdrv_fault *const faults[] = {
    [SUPTESTFAULT_NONE] = fault_nothing,
    [SUPTESTFAULT_PANIC] = fault_panic,
    [SUPTESTFAULT_OOPS] = fault_oops,
    [SUPTESTFAULT_HANG] = fault_hang,
    [SUPTESTFAULT_SPIN] = fault_spin,
    [SUPTESTFAULT_WARN] = fault_warn,
    [SUPTESTFAULT_OOPS_IN_INTERRUPT] = fault_interrupt,
    [SUPTESTFAULT_LATE] = fault_late,
    [SUPTESTFAULT_WRONG_ANSWER] = fault_nothing,
    [SUPTESTFAULT_BUG_WITH_LOCK] = fault_bug_with_lock,
    [SUPTESTFAULT_REBOOT] = fault_reboot,
    [SUPTESTFAULT_USE_AFTER_FREE] = supdrv_fault_use_after_free,
    [SUPTESTFAULT_LEAK] = supdrv_fault_leak,
    [SUPTESTFAULT_LOCK_INVERSION] = fault_lock_inversion,
    [SUPTESTFAULT_DEADLOCK] = fault_deadlock,
    [SUPTESTFAULT_FORGET_PIN] = supdrv_fault_forget_pin,
    [SUPTESTFAULT_FORGET_CONT] = supdrv_fault_forget_cont,
    [SUPTESTFAULT_FORGET_LOW] = supdrv_fault_forget_low,
    [SUPTESTFAULT_FORGET_IMAGE] = supdrv_fault_forget_image,
    [SUPTESTFAULT_FORGET_GIP] = supdrv_fault_forget_gip,
    [SUPTESTFAULT_OVERRUN] = supdrv_fault_overrun,
    [SUPTESTFAULT_PAGE_OVERRUN] = supdrv_fault_page_overrun,
    [SUPTESTFAULT_DOUBLE_FREE] = supdrv_fault_double_free,
    [SUPTESTFAULT_CLIENT_STACK] = supdrv_fault_client_stack,
    [SUPTESTFAULT_TOO_LATE] = fault_too_late,
    [SUPTESTFAULT_FLOOD] = fault_flood,
    [SUPTESTFAULT_UNLOAD] = fault_unload,
};

static int32_t fault_run(struct supdrv_session *session, struct supdrv_call *call)
{
	uint32_t fault = ((const SUPTESTFAULT_IN *)call->buffer)->uFault;
	SUPTESTFAULT_OUT *out;

	if (fault >= ARRAY_SIZE(faults))
		return SUPDRV_ERR_INVALID_PARAM;
	faults[fault](session);

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
