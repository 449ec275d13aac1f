// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* LDR_LOAD: what a client may load, and how an image becomes alive. */
#include "supdrv_image.h"

/* The image's own bytes, given to us in the kernel's copy of the request. */
static int32_t request_check(const SUPLDRLOAD_IN *in, uint32_t in_size)
{
	if (in->cbImage > in_size - (uint32_t)offsetof(SUPLDRLOAD_IN, achImage))
		return SUPDRV_ERR_INVALID_PARAM;
	return supdrv_symbols_check(in);
}

static bool is_inside(const struct supdrv_image *image, uintptr_t address)
{
	return address - image->base < image->size;
}

static bool entry_is_valid(const struct supdrv_image *image, const SUPLDRLOAD_IN *in)
{
	uintptr_t entry = (uintptr_t)in->EP.VMMR0.pvVMMR0Entry;

	switch (in->eEPType) {
	case EP_NOTHING:
		return true;
	case EP_VMMR0:
		/* The entry must end with its image, so it cannot be registered as another one's.
		 */
		return (uintptr_t)in->EP.VMMR0.pvVMMR0 == image->base && is_inside(image, entry);
	default:
		return false;
	}
}

static bool callback_is_valid(const struct supdrv_image *image, uintptr_t callback)
{
	return !callback || is_inside(image, callback);
}

/* With the lock held: may this request load this image now? */
static int32_t image_check(const struct supdrv_device *device, const struct supdrv_image *image,
			   const SUPLDRLOAD_IN *in)
{
	if (!image || image->size != in->cbImage)
		return SUPDRV_ERR_INVALID_HANDLE;
	if (image->state != SUPDRV_IMAGE_OPEN)
		return SUPDRV_ERR_ALREADY_LOADED;
	if (!entry_is_valid(image, in) || !callback_is_valid(image, (uintptr_t)in->pfnModuleInit) ||
	    !callback_is_valid(image, (uintptr_t)in->pfnModuleTerm))
		return SUPDRV_ERR_INVALID_PARAM;
	if (!device->ring0_images && (in->pfnModuleInit || in->pfnModuleTerm))
		return SUPDRV_ERR_PERMISSION_DENIED;
	if (in->eEPType == EP_VMMR0 && device->vmmr0)
		return SUPDRV_ERR_INVALID_PARAM;
	return SUPDRV_OK;
}

/*
 * Makes the calling thread the only one to touch the image until load_end(), and gives it a
 * reference. The place of the VMMR0 image is taken at once, so that no init has run in vain; nobody
 * enters before the image is loaded.
 */
static int32_t load_begin(struct supdrv_session *session, const SUPLDRLOAD_IN *in,
			  struct supdrv_image **image)
{
	struct supdrv_device *device = session->device;
	struct supdrv_image *found;
	int32_t status;

	supdrv_os_lock_acquire(&device->lock);
	found = supdrv_image_at(session, (uintptr_t)in->pvImageBase);
	status = image_check(device, found, in);
	if (!status) {
		found->references++;
		found->state = SUPDRV_IMAGE_LOADING;
		if (in->eEPType == EP_VMMR0)
			device->vmmr0 = found;
	}
	supdrv_os_lock_release(&device->lock);
	*image = found;
	return status;
}

static int32_t image_fill(const struct supdrv_device *device, struct supdrv_image *image,
			  const SUPLDRLOAD_IN *in)
{
	int32_t status = supdrv_symbols_copy(in, &image->symbols);

	if (status)
		return status;
	memcpy(image->memory, in->achImage, image->size);
	image->term = in->pfnModuleTerm;
	if (in->eEPType == EP_VMMR0)
		image->entry = device->ring0_images
				   ? (supdrv_vmmr0_entry *)(uintptr_t)in->EP.VMMR0.pvVMMR0Entry
				   : supdrv_vmmr0_builtin;
	return device->ring0_images ? supdrv_os_image_seal(image->memory, image->size) : SUPDRV_OK;
}

/* As it was when it was opened; zeroed too, so that a later load finds nothing of this one. */
static void image_empty(const struct supdrv_device *device, struct supdrv_image *image)
{
	if (device->ring0_images)
		supdrv_os_image_unseal(image->memory, image->size);
	memset(image->memory, 0, image->size);
	supdrv_os_free(image->symbols);
	image->symbols = NULL;
	image->entry = NULL;
}

static void load_end(struct supdrv_device *device, struct supdrv_image *image, bool loaded)
{
	if (!loaded)
		image_empty(device, image);
	supdrv_os_lock_acquire(&device->lock);
	image->state = loaded ? SUPDRV_IMAGE_LOADED : SUPDRV_IMAGE_OPEN;
	if (!loaded && device->vmmr0 == image)
		device->vmmr0 = NULL;
	supdrv_os_lock_release(&device->lock);
	supdrv_image_unref(device, image);
}

int32_t supdrv_image_load(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPLDRLOAD_IN *in = call->buffer;
	struct supdrv_image *image;
	int32_t status;

	status = request_check(in, call->in_size);
	if (status)
		return status;
	status = load_begin(session, in, &image);
	if (status)
		return status;

	status = image_fill(session->device, image, in);
	if (!status && in->pfnModuleInit)
		status = in->pfnModuleInit();
	load_end(session->device, image, !status);
	return status;
}
