// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Memory used wrongly: the kernel's own, and the client's. A kernel with INVARIANTS notices. */
#include "supdrv_compat.h"
#include "supdrv_freebsd.h"
#include "supdrv_faults.h"

#include <machine/frame.h>

#define LOST_BYTES   1000 /* the allocator makes 1024 of it */
#define STACK_BYTES  512
#define STACK_FILLER 0x5A

static volatile char *memory_get(void)
{
	return malloc(LOST_BYTES, M_SUPDRV, M_WAITOK);
}

static void memory_put(volatile char *memory)
{
	free(__DEVOLATILE(void *, memory), M_SUPDRV);
}

/* Noticed when the memory is given out again, which it is at once. */
void supdrv_fault_use_after_free(struct supdrv_session *session __unused)
{
	volatile char *gone = memory_get();

	memory_put(gone);
	*gone = 1;
	memory_put(memory_get());
}

/* Noticed when the driver is unloaded. */
void supdrv_fault_leak(struct supdrv_session *session __unused)
{
	*memory_get() = 1;
}

/* Behind memory is what was never mapped: addresses of the kernel's that nobody else has. */
void supdrv_fault_page_overrun(struct supdrv_session *session __unused)
{
	volatile char *page = (volatile char *)kva_alloc(PAGE_SIZE);

	if (page)
		*page = 1;
}

void supdrv_fault_double_free(struct supdrv_session *session __unused)
{
	volatile char *memory = memory_get();

	memory_put(memory);
	memory_put(memory);
	__compiler_membar(); /* a backtrace shows who called last */
}

static void *client_stack(void)
{
#ifdef __LP64__
	return (void *)curthread->td_frame->tf_rsp;
#else
	return (void *)curthread->td_frame->tf_esp;
#endif
}

/* The calling thread comes back to return addresses that lead nowhere. */
void supdrv_fault_client_stack(struct supdrv_session *session __unused)
{
	char filler[STACK_BYTES];

	memset(filler, STACK_FILLER, sizeof(filler));
	if (copyout(filler, client_stack(), sizeof(filler)))
		printf("supdrv: the client's stack is too short to be spoiled\n");
}
