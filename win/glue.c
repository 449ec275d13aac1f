// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the core needs from Windows. */
#include "supdrv_windows.h"
#include "supdrv_glue.h"

#define SYSTEM_RNG    2u /* BCRYPT_USE_SYSTEM_PREFERRED_RNG: the algorithm's handle is NULL */
#define NO_RANDOMNESS 0x53555001u /* our own bugcheck: no code of the system says it */

/* Of cng.sys; its header is for programs. */
__declspec(dllimport) NTSTATUS NTAPI
    BCryptGenRandom(void *algorithm, UCHAR *memory, ULONG size, ULONG flags);

void *supdrv_os_alloc(size_t size)
{
	void *memory = ExAllocatePoolWithTag(NonPagedPoolNx, size, SUPDRV_POOL_TAG);

	if (memory)
		memset(memory, 0, size);
	return memory;
}

void supdrv_os_free(void *memory)
{
	if (memory)
		ExFreePoolWithTag(memory, SUPDRV_POOL_TAG);
}

/* Cookies and tokens that can be guessed are worse than a machine that stops. */
void supdrv_os_random(void *memory, size_t size)
{
	NTSTATUS status = BCryptGenRandom(NULL, memory, (ULONG)size, SYSTEM_RNG);

	if (!NT_SUCCESS(status))
		KeBugCheckEx(NO_RANDOMNESS, (ULONG_PTR)status, (ULONG_PTR)memory, size, 0);
}

void supdrv_os_lock_init(struct supdrv_lock *lock)
{
	KeInitializeMutex(&lock->mutex, 0);
}

void supdrv_os_lock_destroy(struct supdrv_lock *lock)
{
	(void)lock;
}

void supdrv_os_lock_acquire(struct supdrv_lock *lock)
{
	KeWaitForSingleObject(&lock->mutex, Executive, KernelMode, FALSE, NULL);
}

void supdrv_os_lock_release(struct supdrv_lock *lock)
{
	KeReleaseMutex(&lock->mutex, FALSE);
}
