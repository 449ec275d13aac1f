// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

static const char *const function_names[SUPDRV_FUNCTION_COUNT] = {
    [SUPDRV_FUNCTION_PRINTF] = "SUPR0Printf",
    [SUPDRV_FUNCTION_MEM_ALLOC] = "RTMemAlloc",
    [SUPDRV_FUNCTION_MEM_ALLOC_Z] = "RTMemAllocZ",
    [SUPDRV_FUNCTION_MEM_FREE] = "RTMemFree",
    [SUPDRV_FUNCTION_MUTEX_CREATE] = "RTSemFastMutexCreate",
    [SUPDRV_FUNCTION_MUTEX_DESTROY] = "RTSemFastMutexDestroy",
    [SUPDRV_FUNCTION_MUTEX_REQUEST] = "RTSemFastMutexRequest",
    [SUPDRV_FUNCTION_MUTEX_RELEASE] = "RTSemFastMutexRelease",
    [SUPDRV_FUNCTION_SPINLOCK_CREATE] = "RTSpinlockCreate",
    [SUPDRV_FUNCTION_SPINLOCK_DESTROY] = "RTSpinlockDestroy",
    [SUPDRV_FUNCTION_SPINLOCK_ACQUIRE] = "RTSpinlockAcquire",
    [SUPDRV_FUNCTION_SPINLOCK_RELEASE] = "RTSpinlockRelease",
    [SUPDRV_FUNCTION_THREAD_SELF] = "RTThreadSelf",
    [SUPDRV_FUNCTION_THREAD_SLEEP] = "RTThreadSleep",
    [SUPDRV_FUNCTION_THREAD_YIELD] = "RTThreadYield",
};

/* The low byte makes tokens differ for certain and keeps them odd. */
_Static_assert(SUPDRV_FUNCTION_COUNT <= 128, "a function's index has 7 bits in its token");

void supdrv_functions_init(struct supdrv_device *device)
{
	uint32_t i;

	for (i = 0; i < SUPDRV_FUNCTION_COUNT; i++)
		device->functions[i] = (supdrv_token_make() & ~(uintptr_t)0xFF) | i << 1 | 1;
}

static void name_copy(char *to, size_t size, const char *from)
{
	size_t i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i];
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
		name_copy(functions[i].szName, sizeof(functions[i].szName), function_names[i]);
		functions[i].pfn = (void *)session->device->functions[i];
	}
	return SUPDRV_OK;
}
