// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Fails on request. Built only with SUPDRV_FAULTS=1, for machines that are thrown away afterwards.
 */
#include "supdrv_windows.h"
#include "supdrv_fault.h"
#include "supdrv_faults.h"
#include "supdrv_glue.h"

/* Within the deadline of a request, whatever the guest, and beyond it. */
#define LATE_MS	      1000
#define TOO_LATE_MS   120000
#define UNITS_PER_MS  10000
#define SOON_UNITS    10000
#define WRONG_ANSWER  0xDEADBEEF
#define PANIC_CODE    0xE2 /* MANUALLY_INITIATED_CRASH */
#define FAULT_BARRIER __asm__ volatile("" ::: "memory")

static volatile bool unload_fails;

/* Three frames that a backtrace has to show; the barriers keep them from becoming jumps. */
static __attribute__((noinline)) void supdrv_fault_null_write(void)
{
	int *volatile nowhere = NULL;

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

static void sleep_ms(uint32_t milliseconds)
{
	LARGE_INTEGER interval = {.QuadPart = -(LONGLONG)milliseconds * UNITS_PER_MS};

	KeDelayExecutionThread(KernelMode, FALSE, &interval);
}

static void fault_nothing(struct supdrv_session *session)
{
	(void)session;
}

static void fault_panic(struct supdrv_session *session)
{
	(void)session;
	KeBugCheckEx(PANIC_CODE, 0, 0, 0, 0);
}

static void fault_oops(struct supdrv_session *session)
{
	(void)session;
	supdrv_fault_outer();
	FAULT_BARRIER;
}

static void event_wait(KEVENT *event)
{
	KeWaitForSingleObject(event, Executive, KernelMode, FALSE, NULL);
}

static void fault_hang(struct supdrv_session *session)
{
	KEVENT never;

	(void)session;
	KeInitializeEvent(&never, NotificationEvent, FALSE);
	event_wait(&never);
}

static void fault_spin(struct supdrv_session *session)
{
	(void)session;
	__asm__ volatile("cli");
	for (;;)
		YieldProcessor();
}

/* Windows has no warnings with a backtrace. */
static void fault_warn(struct supdrv_session *session)
{
	(void)session;
	SUPDRV_LOG("warning on request\n");
}

static void NTAPI supdrv_fault_in_interrupt(PKDPC dpc, void *context, void *unused1, void *unused2)
{
	(void)dpc;
	(void)context;
	(void)unused1;
	(void)unused2;
	supdrv_fault_outer();
	FAULT_BARRIER;
}

static void fault_interrupt(struct supdrv_session *session)
{
	static KTIMER timer;
	static KDPC dpc;
	LARGE_INTEGER soon = {.QuadPart = -SOON_UNITS};

	(void)session;
	KeInitializeTimerEx(&timer, NotificationTimer);
	KeInitializeDpc(&dpc, supdrv_fault_in_interrupt, NULL);
	KeSetTimerEx(&timer, soon, 0, &dpc);
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

/* An exception that nobody handles, as an assertion raises it. */
static void fault_bug_with_lock(struct supdrv_session *session)
{
	static KSPIN_LOCK lock;
	KIRQL before;

	(void)session;
	KeAcquireSpinLock(&lock, &before);
	__asm__ volatile("ud2");
	KeReleaseSpinLock(&lock, before);
}

static void fault_lock_inversion(struct supdrv_session *session)
{
	struct supdrv_lock first, second;

	(void)session;
	supdrv_os_lock_init(&first);
	supdrv_os_lock_init(&second);
	supdrv_os_lock_acquire(&first);
	supdrv_os_lock_acquire(&second);
	supdrv_os_lock_release(&second);
	supdrv_os_lock_release(&first);

	supdrv_os_lock_acquire(&second);
	supdrv_os_lock_acquire(&first);
	supdrv_os_lock_release(&first);
	supdrv_os_lock_release(&second);
}

/* A mutex of the kernel is recursive, an event is not. */
static void fault_deadlock(struct supdrv_session *session)
{
	KEVENT lock;

	(void)session;
	KeInitializeEvent(&lock, SynchronizationEvent, TRUE);
	event_wait(&lock);
	event_wait(&lock);
}

static void fault_flood(struct supdrv_session *session)
{
	unsigned long line;

	(void)session;
	for (line = 1;; line++)
		SUPDRV_LOG("line %lu of as many as the console takes\n", line);
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

/* Those that are missing cannot be had: a restart without the firmware's help, the stack pointer of
 * a client. */
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

	if (fault >= RTL_NUMBER_OF(faults) || !faults[fault])
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
