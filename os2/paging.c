// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* What the processor says of its paging. */
#include "supdrv_glue.h"

#define MSR_EFER     0xC0000080u
#define CR4_PAE	     (1u << 5)
#define FEATURE_NX   (1u << 20)
#define FEATURE_LM   (1u << 29)
#define CPUID_HIGHER 0x80000000u

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static struct cpuid cpuid(uint32_t leaf)
{
	struct cpuid out;

	__asm__("cpuid"
		: "=a"(out.eax), "=b"(out.ebx), "=c"(out.ecx), "=d"(out.edx)
		: "a"(leaf), "c"(0));
	return out;
}

static uint64_t msr_read(uint32_t number)
{
	uint64_t value;

	__asm__ volatile("rdmsr" : "=A"(value) : "c"(number));
	return value;
}

void supdrv_os_paging_read(struct supdrv_paging *paging)
{
	uint32_t cr0, cr4;

	__asm__ volatile("mov %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	*paging = (struct supdrv_paging){.cr0 = cr0, .cr4 = cr4};
	if (cpuid(CPUID_HIGHER).eax > CPUID_HIGHER)
		paging->features = cpuid(CPUID_HIGHER + 1).edx;
	if (cr4 & CR4_PAE && paging->features & (FEATURE_NX | FEATURE_LM))
		paging->efer = msr_read(MSR_EFER);
}
