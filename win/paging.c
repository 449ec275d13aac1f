// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The registers that say how the CPU translates addresses. */
#include "supdrv_windows.h"
#include "supdrv_glue.h"
#include "supdrv_ioc.h"

#define CPUID_EXTENDED_MOST 0x80000000u
#define CPUID_EXTENDED	    0x80000001u
#define FEATURE_NX	    0x00100000u
#define FEATURE_LM	    0x20000000u
#define CR0_PE_PG	    0x80000001u
#define CR4_PAE		    0x00000020u
#define EFER		    0xC0000080u
#define EFER_LMA	    0x00000400u

static void cpuid(uint32_t leaf, uint32_t *eax, uint32_t *edx)
{
	uint32_t ebx, ecx = 0;

	__asm__ volatile("cpuid" : "=a"(*eax), "=b"(ebx), "+c"(ecx), "=d"(*edx) : "0"(leaf));
}

static uint32_t features_read(void)
{
	uint32_t eax, edx;

	cpuid(CPUID_EXTENDED_MOST, &eax, &edx);
	if (eax < CPUID_EXTENDED)
		return 0;
	cpuid(CPUID_EXTENDED, &eax, &edx);
	return edx;
}

static uint64_t efer_read(void)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(EFER));
	return (uint64_t)high << 32 | low;
}

/* Windows has the same in all of them on all CPUs, so it does not matter where the thread runs. */
void supdrv_os_paging_read(struct supdrv_paging *paging)
{
	uintptr_t cr0, cr4;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	paging->cr0 = cr0;
	paging->cr4 = cr4;
	paging->efer = 0;
	paging->features = features_read();
#if SUP_IOCTL_FLAG != 0
	/* Code of 64 bits runs with these set and nowhere else: they need no look. */
	paging->cr0 |= CR0_PE_PG;
	paging->cr4 |= CR4_PAE;
	paging->efer = EFER_LMA;
#endif
	if ((paging->cr4 & CR4_PAE) && (paging->features & (FEATURE_NX | FEATURE_LM)))
		paging->efer |= efer_read();
}
