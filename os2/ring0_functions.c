// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The functions that ring-0 images may call. Results are 0 or one of the driver's codes. */
#include "devhelp.h"
#include "heap.h"
#include "supdrv_glue.h"
#include "supdrv_ioc.h"
#include "supdrv_status.h"
#include "text.h"

#define MESSAGE_BYTES 512

/* The system has one processor, and nobody else runs on it unless interrupts let him. */
struct ring0_spinlock {
	uint32_t flags; /* of who holds it */
};

/* What is longer is cut off. */
static int SUPDRV_CALLBACK ring0_printf(const char *format, ...)
{
	char message[MESSAGE_BYTES];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	length = text_format(message, sizeof(message), format, arguments);
	va_end(arguments);
	dh_message(message);
	return (int)length;
}

static void *SUPDRV_CALLBACK ring0_mem_alloc(size_t size)
{
	return heap_get(size);
}

static void *SUPDRV_CALLBACK ring0_mem_alloc_z(size_t size)
{
	return supdrv_os_alloc(size);
}

static void SUPDRV_CALLBACK ring0_mem_free(void *memory)
{
	heap_release(memory);
}

static int SUPDRV_CALLBACK ring0_mutex_create(struct supdrv_lock **made)
{
	*made = heap_get(sizeof(**made));
	if (!*made)
		return SUPDRV_ERR_NO_MEMORY;
	supdrv_os_lock_init(*made);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_destroy(struct supdrv_lock *made)
{
	heap_release(made);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_request(struct supdrv_lock *made)
{
	supdrv_os_lock_acquire(made);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_release(struct supdrv_lock *made)
{
	supdrv_os_lock_release(made);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_spinlock_create(struct ring0_spinlock **made)
{
	*made = heap_get(sizeof(**made));
	return *made ? SUPDRV_OK : SUPDRV_ERR_NO_MEMORY;
}

static int SUPDRV_CALLBACK ring0_spinlock_destroy(struct ring0_spinlock *made)
{
	heap_release(made);
	return SUPDRV_OK;
}

static void SUPDRV_CALLBACK ring0_spinlock_acquire(struct ring0_spinlock *made, void *saved)
{
	uint32_t flags;

	(void)saved;
	__asm__ volatile("pushf\n\tpop %0\n\tcli" : "=r"(flags)::"memory");
	made->flags = flags;
}

static void SUPDRV_CALLBACK ring0_spinlock_release(struct ring0_spinlock *made, void *saved)
{
	(void)saved;
	__asm__ volatile("push %0\n\tpopf" ::"r"(made->flags) : "memory", "cc");
}

static void *SUPDRV_CALLBACK ring0_thread_self(void)
{
	return dh_thread();
}

/* A wait ends when the client does. */
static int SUPDRV_CALLBACK ring0_thread_sleep(uint32_t milliseconds)
{
	const uint64_t until = dh_nanoseconds() + (uint64_t)milliseconds * 1000000;
	const char nobody = 0;

	if (dh_block(&nobody, milliseconds, true) || dh_nanoseconds() >= until)
		return SUPDRV_OK;
	return SUPDRV_VERR_INTERRUPTED;
}

static bool SUPDRV_CALLBACK ring0_thread_yield(void)
{
	dh_yield();
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
