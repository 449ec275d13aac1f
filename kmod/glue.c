// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the core needs from Linux. */
#include <linux/mm.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "supdrv_glue.h"

void *supdrv_os_alloc(size_t size)
{
	return kvzalloc(size, GFP_KERNEL_ACCOUNT | __GFP_NOWARN | __GFP_RETRY_MAYFAIL);
}

void supdrv_os_free(void *memory)
{
	kvfree(memory);
}

void supdrv_os_random(void *memory, size_t size)
{
	get_random_bytes(memory, size);
}

void supdrv_os_lock_init(struct supdrv_lock *lock)
{
	mutex_init(&lock->mutex);
}

void supdrv_os_lock_destroy(struct supdrv_lock *lock)
{
	mutex_destroy(&lock->mutex);
}

void supdrv_os_lock_acquire(struct supdrv_lock *lock)
{
	mutex_lock(&lock->mutex);
}

void supdrv_os_lock_release(struct supdrv_lock *lock)
{
	mutex_unlock(&lock->mutex);
}

void supdrv_os_paging_read(struct supdrv_paging *paging)
{
	u32 low = 0, high = 0;

	memset(paging, 0, sizeof(*paging));
	get_cpu();
	paging->cr0 = read_cr0();
	paging->cr4 = __read_cr4();
	if (cpuid_eax(0x80000000) >= 0x80000001)
		paging->features = cpuid_edx(0x80000001);
	/* EFER exists on processors with no-execute pages (bit 20) or long mode (bit 29) only. */
	if ((paging->cr4 & X86_CR4_PAE) && (paging->features & (BIT(20) | BIT(29))))
		rdmsr(MSR_EFER, low, high);
	put_cpu();
	paging->efer = (u64)high << 32 | low;
}
