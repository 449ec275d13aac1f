// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* The registered VMMR0 image's entry, and CALL_VMMR0. */
#include "supdrv_image.h"

int32_t SUPDRV_CALLBACK supdrv_vmmr0_builtin(uintptr_t vm, uint32_t operation, void *argument)
{
	(void)vm;
	(void)argument;
	if (operation == VMMR0_DO_NOP || operation == VMMR0_DO_TESTS)
		return SUPDRV_OK;
	return SUPDRV_VERR_NOT_SUPPORTED;
}

bool supdrv_vmmr0_enter(struct supdrv_device *device, uintptr_t vm, uint32_t operation,
			void *argument, int32_t *result)
{
	struct supdrv_image *image;

	supdrv_os_lock_acquire(&device->lock);
	image = device->vmmr0;
	if (!image || image->state != SUPDRV_IMAGE_LOADED) {
		supdrv_os_lock_release(&device->lock);
		return false;
	}
	image->references++;
	supdrv_os_lock_release(&device->lock);

	*result = image->entry(vm, operation, argument);
	supdrv_image_unref(device, image);
	return true;
}

int32_t supdrv_vmmr0_call(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPCALLVMMR0_IN *in = call->buffer;
	SUPCALLVMMR0_OUT *out;
	int32_t result;

	if (!supdrv_vmmr0_enter(session->device, (uintptr_t)in->pVM, in->uOperation, in->pvArg,
				&result))
		return SUPDRV_ERR_GENERAL_FAILURE;
	out = supdrv_call_output(call, sizeof(*out));
	out->rc = result;
	return SUPDRV_OK;
}
