// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

/* As clients see them, but for the addresses or the tokens in their place. */
static const SUPFUNC exported[SUPDRV_FUNCTION_COUNT] = {
    [SUPDRV_FUNCTION_PRINTF] = {.szName = "SUPR0Printf"},
    [SUPDRV_FUNCTION_MEM_ALLOC] = {.szName = "RTMemAlloc"},
    [SUPDRV_FUNCTION_MEM_ALLOC_Z] = {.szName = "RTMemAllocZ"},
    [SUPDRV_FUNCTION_MEM_FREE] = {.szName = "RTMemFree"},
    [SUPDRV_FUNCTION_MUTEX_CREATE] = {.szName = "RTSemFastMutexCreate"},
    [SUPDRV_FUNCTION_MUTEX_DESTROY] = {.szName = "RTSemFastMutexDestroy"},
    [SUPDRV_FUNCTION_MUTEX_REQUEST] = {.szName = "RTSemFastMutexRequest"},
    [SUPDRV_FUNCTION_MUTEX_RELEASE] = {.szName = "RTSemFastMutexRelease"},
    [SUPDRV_FUNCTION_SPINLOCK_CREATE] = {.szName = "RTSpinlockCreate"},
    [SUPDRV_FUNCTION_SPINLOCK_DESTROY] = {.szName = "RTSpinlockDestroy"},
    [SUPDRV_FUNCTION_SPINLOCK_ACQUIRE] = {.szName = "RTSpinlockAcquire"},
    [SUPDRV_FUNCTION_SPINLOCK_RELEASE] = {.szName = "RTSpinlockRelease"},
    [SUPDRV_FUNCTION_THREAD_SELF] = {.szName = "RTThreadSelf"},
    [SUPDRV_FUNCTION_THREAD_SLEEP] = {.szName = "RTThreadSleep"},
    [SUPDRV_FUNCTION_THREAD_YIELD] = {.szName = "RTThreadYield"},
};

/* The low byte makes tokens differ for certain and keeps them odd. */
_Static_assert(SUPDRV_FUNCTION_COUNT <= 128, "a function's index has 7 bits in its token");

static uintptr_t function_token(uint32_t index)
{
	return (supdrv_token_make() & ~(uintptr_t)0xFF) | index << 1 | 1;
}

void supdrv_functions_init(struct supdrv_device *device)
{
	uint32_t i;

	for (i = 0; i < SUPDRV_FUNCTION_COUNT; i++)
		device->functions[i] =
		    device->ring0_images ? supdrv_os_function(i) : function_token(i);
}

int32_t supdrv_functions_query(struct supdrv_session *session, struct supdrv_call *call)
{
	const uint32_t header = offsetof(SUPQUERYFUNCS_OUT, aFunctions);
	uint32_t count = (call->out_size - header) / (uint32_t)sizeof(SUPFUNC);
	SUPQUERYFUNCS_OUT *out;
	SUPFUNC *functions;
	uint32_t i;

	if (count > SUPDRV_FUNCTION_COUNT)
		count = SUPDRV_FUNCTION_COUNT;
	out = supdrv_call_output(call, header + count * (uint32_t)sizeof(SUPFUNC));
	out->cFunctions = count;
	functions = out->aFunctions;
	for (i = 0; i < count; i++) {
		functions[i] = exported[i];
		functions[i].pfn = (void *)session->device->functions[i];
	}
	return SUPDRV_OK;
}
