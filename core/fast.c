// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "supdrv_image.h"

/* Refuses what no VM structure can have as its address: the first and last page, and odd offsets.
 */
int32_t supdrv_fast_set_vm(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPSETVMFORFAST_IN *in = call->buffer;
	const uintptr_t last_page = (uintptr_t)0 - SUPDRV_PAGE_SIZE;
	uintptr_t vm = in->pVMR0;

	if (vm && (vm >= last_page || vm % SUPDRV_PAGE_SIZE))
		return SUPDRV_ERR_INVALID_POINTER;
	supdrv_os_lock_acquire(&session->lock);
	session->vm = vm;
	supdrv_os_lock_release(&session->lock);
	return SUPDRV_OK;
}

#ifdef SUP_CTL_CODE_FAST
static int32_t fast_enter(struct supdrv_session *session, uint32_t operation)
{
	uintptr_t vm;
	int32_t result;

	supdrv_os_lock_acquire(&session->lock);
	vm = session->vm;
	supdrv_os_lock_release(&session->lock);

	if (!vm || !supdrv_vmmr0_enter(session->device, vm, operation, NULL, &result))
		return SUPDRV_VERR_INTERNAL_ERROR;
	return result;
}

bool supdrv_fast_run(struct supdrv_session *session, uint32_t number, int32_t *result)
{
	uint32_t operation;

	switch (number) {
	case SUP_IOCTL_FAST_DO_RAW_RUN:
		operation = VMMR0_DO_RAW_RUN;
		break;
	case SUP_IOCTL_FAST_DO_HWACC_RUN:
		operation = VMMR0_DO_HWACC_RUN;
		break;
	case SUP_IOCTL_FAST_DO_NOP:
		operation = VMMR0_DO_NOP;
		break;
	default:
		return false;
	}
	*result = fast_enter(session, operation);
	return true;
}
#else
bool supdrv_fast_run(struct supdrv_session *session, uint32_t number, int32_t *result)
{
	(void)session;
	(void)number;
	(void)result;
	return false;
}
#endif
