// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The functions that ring-0 images may call. Results are 0 or one of the driver's codes. */
#include <linux/kernel.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/spinlock.h>

#include "supdrv_glue.h"
#include "supdrv_ioc.h"
#include "supdrv_status.h"

static __printf(1, 2) int SUPDRV_CALLBACK ring0_printf(const char *format, ...)
{
	struct va_format message = {.fmt = format};
	va_list arguments;
	int length;

	va_start(arguments, format);
	message.va = &arguments;
	length = printk(KERN_INFO "%pV", &message);
	va_end(arguments);
	return length;
}

static void *SUPDRV_CALLBACK ring0_mem_alloc(size_t size)
{
	return kvmalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static void *SUPDRV_CALLBACK ring0_mem_alloc_z(size_t size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN);
}

static void SUPDRV_CALLBACK ring0_mem_free(void *memory)
{
	kvfree(memory);
}

/* The order of an image's locks is the image's own: to lockdep each lock is a class, not all of
 * them one. */
struct ring0_mutex {
	struct mutex mutex;
	struct lock_class_key key;
};

struct ring0_spinlock {
	spinlock_t lock;
	struct lock_class_key key;
};

static int SUPDRV_CALLBACK ring0_mutex_create(struct ring0_mutex **made)
{
	*made = kzalloc(sizeof(**made), GFP_KERNEL_ACCOUNT);
	if (!*made)
		return SUPDRV_ERR_NO_MEMORY;
	lockdep_register_key(&(*made)->key);
	mutex_init(&(*made)->mutex);
	lockdep_set_class(&(*made)->mutex, &(*made)->key);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_destroy(struct ring0_mutex *made)
{
	mutex_destroy(&made->mutex);
	lockdep_unregister_key(&made->key);
	kfree(made);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_request(struct ring0_mutex *made)
{
	mutex_lock(&made->mutex);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_mutex_release(struct ring0_mutex *made)
{
	mutex_unlock(&made->mutex);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_spinlock_create(struct ring0_spinlock **made)
{
	*made = kzalloc(sizeof(**made), GFP_KERNEL_ACCOUNT);
	if (!*made)
		return SUPDRV_ERR_NO_MEMORY;
	lockdep_register_key(&(*made)->key);
	spin_lock_init(&(*made)->lock);
	lockdep_set_class(&(*made)->lock, &(*made)->key);
	return SUPDRV_OK;
}

static int SUPDRV_CALLBACK ring0_spinlock_destroy(struct ring0_spinlock *made)
{
	lockdep_unregister_key(&made->key);
	kfree(made);
	return SUPDRV_OK;
}

/* Other systems save something in the caller's frame. */
static void SUPDRV_CALLBACK ring0_spinlock_acquire(struct ring0_spinlock *made, void *saved)
{
	spin_lock(&made->lock);
}

static void SUPDRV_CALLBACK ring0_spinlock_release(struct ring0_spinlock *made, void *saved)
{
	spin_unlock(&made->lock);
}

static void *SUPDRV_CALLBACK ring0_thread_self(void)
{
	return current;
}

/* A client that is killed does not wait for its sleeping image. */
static int SUPDRV_CALLBACK ring0_thread_sleep(uint32_t milliseconds)
{
	schedule_timeout_killable(msecs_to_jiffies(milliseconds));
	return fatal_signal_pending(current) ? SUPDRV_VERR_INTERRUPTED : SUPDRV_OK;
}

static bool SUPDRV_CALLBACK ring0_thread_yield(void)
{
	yield();
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
