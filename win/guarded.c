// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <stddef.h>

#include "guarded.h"

#define USER_MODE	1
#define MODIFY_ACCESS	2
#define CACHED		1
#define ALIGNMENT	4
#define EXECUTE_HANDLER 1

/* Keeps the code while the exception is looked at: behind that, not every system still tells it. */
#define CAUGHT(raised) __except (exception_keep(__exception_code(), &(raised)))

__declspec(dllimport) void __stdcall MmProbeAndLockPages(void *mdl, signed char mode,
							 int operation);
__declspec(dllimport) void *__stdcall MmMapLockedPagesSpecifyCache(void *mdl, signed char mode,
								   int cache, void *address,
								   uint32_t bug_check,
								   uint32_t priority);
__declspec(dllimport) void __stdcall ProbeForWrite(volatile void *where, size_t size,
						   uint32_t alignment);

static int exception_keep(unsigned long code, int32_t *raised)
{
	*raised = (int32_t)code;
	return EXECUTE_HANDLER;
}

int32_t supdrv_guarded_lock(void *mdl)
{
	int32_t raised = 0;

	__try {
		MmProbeAndLockPages(mdl, USER_MODE, MODIFY_ACCESS);
	}
	CAUGHT(raised)
	{
	}
	return raised;
}

int32_t supdrv_guarded_map(void *mdl, uint32_t priority, void **address)
{
	int32_t raised = 0;

	__try {
		*address = MmMapLockedPagesSpecifyCache(mdl, USER_MODE, CACHED, NULL, 0, priority);
	}
	CAUGHT(raised)
	{
	}
	return raised;
}

/* A function of its own: the compiler guards calls, not single instructions. */
static __declspec(noinline) void word_store(volatile int32_t *where, int32_t value)
{
	*where = value;
}

int32_t supdrv_guarded_store(void *where, int32_t value)
{
	int32_t raised = 0;

	__try {
		ProbeForWrite(where, sizeof(value), ALIGNMENT);
		word_store(where, value);
	}
	CAUGHT(raised)
	{
	}
	return raised;
}
