// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_internal.h"

#define PAGING_CR0_PE	  0x00000001u
#define PAGING_CR0_PG	  0x80000000u
#define PAGING_CR4_PAE	  0x00000020u
#define PAGING_CR4_PGE	  0x00000080u
#define PAGING_EFER_LMA	  0x00000400u
#define PAGING_EFER_NXE	  0x00000800u
#define PAGING_FEATURE_NX 0x00100000u
#define PAGING_FEATURE_LM 0x20000000u
#define IDT_NOTHING	  3 /* the vector that tells clients that nothing was patched */

/* The interrupt table is never touched; clients that ask get the answer for "not needed". */
int32_t supdrv_idt_install(struct supdrv_session *session, struct supdrv_call *call)
{
	SUPIDTINSTALL_OUT *out = supdrv_call_output(call, sizeof(*out));

	(void)session;
	out->u8Idt = IDT_NOTHING;
	return SUPDRV_OK;
}

int32_t supdrv_idt_remove(struct supdrv_session *session, struct supdrv_call *call)
{
	(void)session;
	(void)call;
	return SUPDRV_OK;
}

SUPPAGINGMODE supdrv_paging_mode(const struct supdrv_paging *paging)
{
	bool global = paging->cr4 & PAGING_CR4_PGE;
	bool long_mode, no_execute;
	SUPPAGINGMODE mode;

	if (!(paging->cr0 & PAGING_CR0_PE) || !(paging->cr0 & PAGING_CR0_PG))
		return SUPPAGINGMODE_INVALID;
	if (!(paging->cr4 & PAGING_CR4_PAE))
		return global ? SUPPAGINGMODE_32_BIT_GLOBAL : SUPPAGINGMODE_32_BIT;

	long_mode = (paging->features & PAGING_FEATURE_LM) && (paging->efer & PAGING_EFER_LMA);
	no_execute = (paging->features & PAGING_FEATURE_NX) && (paging->efer & PAGING_EFER_NXE);
	if (long_mode)
		mode = no_execute ? SUPPAGINGMODE_AMD64_NX : SUPPAGINGMODE_AMD64;
	else
		mode = no_execute ? SUPPAGINGMODE_PAE_NX : SUPPAGINGMODE_PAE;
	return global ? mode + 1 : mode; /* each global mode follows its plain one */
}

int32_t supdrv_paging_query(struct supdrv_session *session, struct supdrv_call *call)
{
	SUPGETPAGINGMODE_OUT *out = supdrv_call_output(call, sizeof(*out));
	struct supdrv_paging paging;

	(void)session;
	supdrv_os_paging_read(&paging);
	out->enmMode = supdrv_paging_mode(&paging);
	return SUPDRV_OK;
}
