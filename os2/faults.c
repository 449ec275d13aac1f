// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Fails on request. Built only with SUPDRV_FAULTS=1, for machines that are thrown away afterwards.
 */
#include "devhelp.h"
#include "supdrv_fault.h"
#include "supdrv_faults.h"
#include "supdrv_glue.h"
#include "supdrv_os2.h"

/* Within the deadline of a request, whatever the guest, and beyond it. */
#define LATE_MS	      1000
#define TOO_LATE_MS   120000
#define WRONG_ANSWER  0xDEADBEEF
#define FAULT_BARRIER __asm__ volatile("" ::: "memory")

static bool unload_fails;

/* Three frames that a backtrace has to show; the barriers keep them from becoming jumps. */
static __attribute__((noinline)) void supdrv_fault_null_write(void)
{
	volatile int *volatile nowhere = NULL;

	*nowhere = 1;
}

static __attribute__((noinline)) void supdrv_fault_inner(void)
{
	supdrv_fault_null_write();
	FAULT_BARRIER;
}

static __attribute__((noinline)) void supdrv_fault_outer(void)
{
	supdrv_fault_inner();
	FAULT_BARRIER;
}

static void fault_nothing(struct supdrv_session *session)
{
	(void)session;
}

static void fault_panic(struct supdrv_session *session)
{
	(void)session;
	dh_stop("supdrv: panic on request");
}

static void fault_oops(struct supdrv_session *session)
{
	(void)session;
	supdrv_fault_outer();
	FAULT_BARRIER;
}

static void sleep_ms(uint32_t milliseconds)
{
	const char nobody = 0;

	dh_block(&nobody, milliseconds, false);
}

static void fault_hang(struct supdrv_session *session)
{
	(void)session;
	sleep_ms(DH_FOREVER);
}

static void fault_spin(struct supdrv_session *session)
{
	(void)session;
	__asm__ volatile("cli");
	for (;;)
		__asm__ volatile("pause");
}

/* The system has no warnings with a backtrace. */
static void fault_warn(struct supdrv_session *session)
{
	(void)session;
	supdrv_log("supdrv: warning on request");
}

static void supdrv_fault_in_interrupt(void *argument)
{
	(void)argument;
	supdrv_fault_outer();
	FAULT_BARRIER;
}

static void fault_interrupt(struct supdrv_session *session)
{
	struct supdrv_timer *timer;

	(void)session;
	if (!supdrv_os_timer_start(DH_TICK_NS, supdrv_fault_in_interrupt, NULL, &timer))
		sleep_ms(LATE_MS);
}

static void fault_late(struct supdrv_session *session)
{
	(void)session;
	sleep_ms(LATE_MS);
}

static void fault_too_late(struct supdrv_session *session)
{
	(void)session;
	sleep_ms(TOO_LATE_MS);
}

/* With one processor what a spinlock does is to keep interrupts off. */
static void fault_bug_with_lock(struct supdrv_session *session)
{
	(void)session;
	__asm__ volatile("cli\n\tud2\n\tsti");
}

/* Whatever was pressed: the keyboard's controller has a line to the processor's reset. */
static void fault_reboot(struct supdrv_session *session)
{
	(void)session;
	__asm__ volatile("cli\n\toutb %0, $0x64" ::"a"((uint8_t)0xFE));
	for (;;)
		__asm__ volatile("hlt");
}

static void locks_take(struct supdrv_lock *first, struct supdrv_lock *second)
{
	supdrv_os_lock_acquire(first);
	supdrv_os_lock_acquire(second);
	supdrv_os_lock_release(second);
	supdrv_os_lock_release(first);
}

static void fault_lock_inversion(struct supdrv_session *session)
{
	struct supdrv_lock first, second;

	(void)session;
	supdrv_os_lock_init(&first);
	supdrv_os_lock_init(&second);
	locks_take(&first, &second);
	locks_take(&second, &first);
}

static void fault_deadlock(struct supdrv_session *session)
{
	struct supdrv_lock lock;

	(void)session;
	supdrv_os_lock_init(&lock);
	supdrv_os_lock_acquire(&lock);
	supdrv_os_lock_acquire(&lock);
}

static void fault_flood(struct supdrv_session *session)
{
	unsigned long line;

	(void)session;
	for (line = 1;; line++) {
		supdrv_log("supdrv: line %lu of as many as the console takes", line);
		dh_yield();
	}
}

static void fault_unload(struct supdrv_session *session)
{
	(void)session;
	unload_fails = true;
}

void supdrv_fault_on_unload(void)
{
	if (unload_fails)
		supdrv_fault_outer();
	FAULT_BARRIER;
}

/* The one that is missing cannot be had: the system tells no driver where a client's stack is. */
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
    [SUPTESTFAULT_TOO_LATE] = fault_too_late,
    [SUPTESTFAULT_FLOOD] = fault_flood,
    [SUPTESTFAULT_UNLOAD] = fault_unload,
};

static int32_t fault_run(struct supdrv_session *session, struct supdrv_call *call)
{
	uint32_t fault = ((const SUPTESTFAULT_IN *)call->buffer)->uFault;
	SUPTESTFAULT_OUT *out;

	if (fault >= sizeof(faults) / sizeof(*faults) || !faults[fault])
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
