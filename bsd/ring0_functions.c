// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The functions that ring-0 images may call. Results are 0 or one of the driver's codes. */
#include "supdrv_freebsd.h"
#include "supdrv_glue.h"
#include "supdrv_ioc.h"

#include <sys/kernel.h>
#include <sys/mutex.h>
#include <sys/proc.h>
#include <sys/sched.h>

#include <machine/stdarg.h>

/* How long a client that is killed waits for its sleeping image at most. */
#define SLEEP_STEP_MS 20u

static __printflike(1, 2) int SUPDRV_CALLBACK ring0_printf(const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vprintf(format, arguments);
	va_end(arguments);
	return length;
}

static void *SUPDRV_CALLBACK ring0_mem_alloc(size_t size)
{
	return malloc(size, M_SUPDRV, M_NOWAIT);
}

static void *SUPDRV_CALLBACK ring0_mem_alloc_z(size_t size)
{
	return malloc(size, M_SUPDRV, M_NOWAIT | M_ZERO);
}

static void SUPDRV_CALLBACK ring0_mem_free(void *memory)
{
	free(memory, M_SUPDRV);
}

/* The order of an image's locks is the image's own, so WITNESS is not asked. */
static int SUPDRV_CALLBACK ring0_mutex_create(struct sx **made)
{
	*made = malloc(sizeof(**made), M_SUPDRV, M_NOWAIT | M_ZERO);
	if (!*made)
		return SUPDRV_ERR_NO_MEMORY;
	sx_init_flags(*made, "supdrv image", SX_NOWITNESS);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_destroy(struct sx *made)
{
	sx_destroy(made);
	free(made, M_SUPDRV);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_request(struct sx *made)
{
	sx_xlock(made);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_release(struct sx *made)
{
	sx_xunlock(made);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_spinlock_create(struct mtx **made)
{
	*made = malloc(sizeof(**made), M_SUPDRV, M_NOWAIT | M_ZERO);
	if (!*made)
		return SUPDRV_ERR_NO_MEMORY;
	mtx_init(*made, "supdrv image spin", NULL, MTX_DEF | MTX_NOWITNESS);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_spinlock_destroy(struct mtx *made)
{
	mtx_destroy(made);
	free(made, M_SUPDRV);
	return SUPDRV_OK;
}

/* Other systems save something in the caller's frame. */
static void SUPDRV_CALLBACK ring0_spinlock_acquire(struct mtx *made, void *saved __unused)
{
	mtx_lock(made);
}

static void SUPDRV_CALLBACK ring0_spinlock_release(struct mtx *made, void *saved __unused)
{
	mtx_unlock(made);
}

static void *SUPDRV_CALLBACK ring0_thread_self(void)
{
	return curthread;
}

/* No sleep of the kernel's ends for a kill alone, so this one is made of short ones. */
static int SUPDRV_CALLBACK ring0_thread_sleep(uint32_t milliseconds)
{
	const sbintime_t end = sbinuptime() + SBT_1MS * milliseconds;
	sbintime_t left = SBT_1MS * milliseconds;

	while (left > 0 && !supdrv_thread_is_killed()) {
		pause_sbt("supslp", MIN(left, SBT_1MS * SLEEP_STEP_MS), 0, 0);
		left = end - sbinuptime();
	}
	return supdrv_thread_is_killed() ? SUPDRV_VERR_INTERRUPTED : SUPDRV_OK;
}

static bool SUPDRV_CALLBACK ring0_thread_yield(void)
{
	kern_yield(PRI_UNCHANGED);
	return true;
}

uintptr_t supdrv_os_function(enum supdrv_function function)
{
	static void *const functions[SUPDRV_FUNCTION_COUNT] = {
	    [SUPDRV_FUNCTION_PRINTF] = (void *)ring0_printf,
	    [SUPDRV_FUNCTION_MEM_ALLOC] = ring0_mem_alloc,
	    [SUPDRV_FUNCTION_MEM_ALLOC_Z] = ring0_mem_alloc_z,
	    [SUPDRV_FUNCTION_MEM_FREE] = ring0_mem_free,
	    [SUPDRV_FUNCTION_MUTEX_CREATE] = ring0_mutex_create,
	    [SUPDRV_FUNCTION_MUTEX_DESTROY] = ring0_mutex_destroy,
	    [SUPDRV_FUNCTION_MUTEX_REQUEST] = ring0_mutex_request,
	    [SUPDRV_FUNCTION_MUTEX_RELEASE] = ring0_mutex_release,
	    [SUPDRV_FUNCTION_SPINLOCK_CREATE] = ring0_spinlock_create,
	    [SUPDRV_FUNCTION_SPINLOCK_DESTROY] = ring0_spinlock_destroy,
	    [SUPDRV_FUNCTION_SPINLOCK_ACQUIRE] = ring0_spinlock_acquire,
	    [SUPDRV_FUNCTION_SPINLOCK_RELEASE] = ring0_spinlock_release,
	    [SUPDRV_FUNCTION_THREAD_SELF] = ring0_thread_self,
	    [SUPDRV_FUNCTION_THREAD_SLEEP] = ring0_thread_sleep,
	    [SUPDRV_FUNCTION_THREAD_YIELD] = ring0_thread_yield,
	};

	return (uintptr_t)functions[function];
}
