// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The functions that ring-0 images may call. Results are 0 or one of the driver's codes. */
#include <ntifs.h>
#include <stdarg.h>
#include <stdio.h>

#include "supdrv_windows.h"
#include "supdrv_glue.h"
#include "supdrv_ioc.h"

#define MESSAGE_BYTES 512
#define UNITS_PER_MS  10000

struct ring0_mutex {
	KEVENT free;
};

struct ring0_spinlock {
	KSPIN_LOCK lock;
	KIRQL before; /* of who holds it */
};

/* What is longer is cut off. */
static int SUPDRV_CALLBACK ring0_printf(const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = _vsnprintf(message, sizeof(message) - 1, format, arguments);
	va_end(arguments);
	if (length < 0)
		length = sizeof(message) - 1;
	message[length] = '\0';
	DbgPrintEx(DPFLTR_IHVDRIVER_ID, DPFLTR_ERROR_LEVEL, "%s", message);
	return length;
}

static void *SUPDRV_CALLBACK ring0_mem_alloc(size_t size)
{
	return ExAllocatePoolWithTag(NonPagedPoolNx, size, SUPDRV_POOL_TAG);
}

static void *SUPDRV_CALLBACK ring0_mem_alloc_z(size_t size)
{
	return supdrv_os_alloc(size);
}

static void SUPDRV_CALLBACK ring0_mem_free(void *memory)
{
	supdrv_os_free(memory);
}

static int SUPDRV_CALLBACK ring0_mutex_create(struct ring0_mutex **made)
{
	*made = supdrv_os_alloc(sizeof(**made));
	if (!*made)
		return SUPDRV_ERR_NO_MEMORY;
	KeInitializeEvent(&(*made)->free, SynchronizationEvent, TRUE);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_destroy(struct ring0_mutex *made)
{
	supdrv_os_free(made);
	return SUPDRV_OK;
}

/* In a critical region: a thread that is suspended with it would stop the others. */
static int SUPDRV_CALLBACK ring0_mutex_request(struct ring0_mutex *made)
{
	KeEnterCriticalRegion();
	KeWaitForSingleObject(&made->free, Executive, KernelMode, FALSE, NULL);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_release(struct ring0_mutex *made)
{
	KeSetEvent(&made->free, IO_NO_INCREMENT, FALSE);
	KeLeaveCriticalRegion();
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_spinlock_create(struct ring0_spinlock **made)
{
	*made = supdrv_os_alloc(sizeof(**made));
	if (!*made)
		return SUPDRV_ERR_NO_MEMORY;
	KeInitializeSpinLock(&(*made)->lock);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_spinlock_destroy(struct ring0_spinlock *made)
{
	supdrv_os_free(made);
	return SUPDRV_OK;
}

static void SUPDRV_CALLBACK ring0_spinlock_acquire(struct ring0_spinlock *made, void *saved)
{
	KIRQL before;

	(void)saved;
	KeAcquireSpinLock(&made->lock, &before);
	made->before = before;
}

static void SUPDRV_CALLBACK ring0_spinlock_release(struct ring0_spinlock *made, void *saved)
{
	(void)saved;
	KeReleaseSpinLock(&made->lock, made->before);
}

static void *SUPDRV_CALLBACK ring0_thread_self(void)
{
	return KeGetCurrentThread();
}

/* A wait in the client's name ends when the client does. */
static int SUPDRV_CALLBACK ring0_thread_sleep(uint32_t milliseconds)
{
	LARGE_INTEGER interval = {.QuadPart = -(LONGLONG)milliseconds * UNITS_PER_MS};

	return KeDelayExecutionThread(UserMode, FALSE, &interval) == STATUS_SUCCESS
		   ? SUPDRV_OK
		   : SUPDRV_VERR_INTERRUPTED;
}

static bool SUPDRV_CALLBACK ring0_thread_yield(void)
{
	ZwYieldExecution();
	return true;
}

uintptr_t supdrv_os_function(enum supdrv_function function)
{
	static void *const functions[SUPDRV_FUNCTION_COUNT] = {
	    [SUPDRV_FUNCTION_PRINTF] = ring0_printf,
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
