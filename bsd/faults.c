// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Fails on request. Built only with SUPDRV_FAULTS=1, for kernels that are thrown away afterwards.
 */
#include "supdrv_freebsd.h"
#include "supdrv_fault.h"
#include "supdrv_faults.h"

#include <sys/callout.h>
#include <sys/lock.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/time.h>

#include <machine/cpu.h>
#include <machine/cpufunc.h>

/* Within the deadline of a request, whatever the guest, and beyond it. */
#define LATE_MS	      1000
#define TOO_LATE_MS   120000
#define WRONG_ANSWER  0xDEADBEEF
#define FAULT_BARRIER __asm__ volatile("" ::: "memory")

static struct mtx fault_first, fault_second;
static struct callout fault_callout;
static volatile bool unload_fails;

void supdrv_faults_init(void)
{
	mtx_init(&fault_first, "supdrv fault first", NULL, MTX_DEF);
	mtx_init(&fault_second, "supdrv fault second", NULL, MTX_DEF);
	callout_init(&fault_callout, 1);
}

void supdrv_faults_destroy(void)
{
	callout_drain(&fault_callout);
	mtx_destroy(&fault_second);
	mtx_destroy(&fault_first);
}

/* Three frames that a backtrace has to show; the barriers keep them from becoming jumps. */
static __noinline void supdrv_fault_null_write(void)
{
	int *volatile nowhere = NULL;

	*(volatile int *)nowhere = 1;
}

static __noinline void supdrv_fault_inner(void)
{
	supdrv_fault_null_write();
	FAULT_BARRIER;
}

static __noinline void supdrv_fault_outer(void)
{
	supdrv_fault_inner();
	FAULT_BARRIER;
}

static void fault_nothing(struct supdrv_session *session __unused)
{
}

static void fault_panic(struct supdrv_session *session __unused)
{
	panic("supdrv: panic on request");
}

static void fault_oops(struct supdrv_session *session __unused)
{
	supdrv_fault_outer();
	FAULT_BARRIER;
}

static void fault_hang(struct supdrv_session *session __unused)
{
	mtx_lock(&fault_first);
	for (;;)
		(void)mtx_sleep(&fault_second, &fault_first, 0, "suphang", 0);
}

static void fault_spin(struct supdrv_session *session __unused)
{
	disable_intr();
	for (;;)
		cpu_spinwait();
}

/* FreeBSD has no warnings with a backtrace. */
static void fault_warn(struct supdrv_session *session __unused)
{
	printf("supdrv: warning on request\n");
}

static void supdrv_fault_in_interrupt(void *argument __unused)
{
	supdrv_fault_outer();
	FAULT_BARRIER;
}

static void sleep_ms(u_int milliseconds)
{
	pause_sbt("suplate", SBT_1MS * milliseconds, 0, 0);
}

static void fault_interrupt(struct supdrv_session *session __unused)
{
	callout_reset_sbt(&fault_callout, SBT_1MS, 0, supdrv_fault_in_interrupt, NULL,
			  C_DIRECT_EXEC);
	sleep_ms(LATE_MS);
}

static void fault_late(struct supdrv_session *session __unused)
{
	sleep_ms(LATE_MS);
}

static void fault_too_late(struct supdrv_session *session __unused)
{
	sleep_ms(TOO_LATE_MS);
}

/* An exception that nobody handles, as an assertion raises it. */
static void fault_bug_with_lock(struct supdrv_session *session __unused)
{
	mtx_lock(&fault_first);
	__asm__ volatile("ud2");
	mtx_unlock(&fault_first);
}

static void fault_reboot(struct supdrv_session *session __unused)
{
	cpu_reset();
}

static void fault_lock_inversion(struct supdrv_session *session __unused)
{
	mtx_lock(&fault_first);
	mtx_lock(&fault_second);
	mtx_unlock(&fault_second);
	mtx_unlock(&fault_first);

	mtx_lock(&fault_second);
	mtx_lock(&fault_first);
	mtx_unlock(&fault_first);
	mtx_unlock(&fault_second);
}

static void fault_deadlock(struct supdrv_session *session __unused)
{
	mtx_lock(&fault_first);
	mtx_lock(&fault_first);
}

static void fault_flood(struct supdrv_session *session __unused)
{
	u_long line;

	for (line = 1;; line++) {
		printf("supdrv: line %lu of as many as the console takes\n", line);
		maybe_yield();
	}
}

static void fault_unload(struct supdrv_session *session __unused)
{
	unload_fails = true;
}

void supdrv_fault_on_unload(void)
{
	if (unload_fails)
		supdrv_fault_outer();
	FAULT_BARRIER;
}

/* The one that is missing would not be noticed: a byte too many in memory of the kernel's own. */
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

	if (fault >= nitems(faults) || !faults[fault])
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
