// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Images as objects: their memory, their place in the device, and their end. */
#include "supdrv_image.h"

#define IMAGE_ALIGNMENT 32u
#define PLACE_TRIES	64u

static void *memory_alloc(struct supdrv_device *device, uint32_t size)
{
	return device->ring0_images ? supdrv_os_image_alloc(size) : supdrv_os_alloc(size);
}

static void memory_free(struct supdrv_device *device, void *memory, uint32_t size)
{
	if (device->ring0_images)
		supdrv_os_image_free(memory, size);
	else
		supdrv_os_free(memory);
}

int32_t supdrv_image_create(struct supdrv_device *device, const char *name, uint32_t size,
			    struct supdrv_image **image)
{
	struct supdrv_image *made = supdrv_os_alloc(sizeof(*made));

	if (!made)
		return SUPDRV_ERR_NO_MEMORY;
	made->memory = memory_alloc(device, size);
	if (!made->memory) {
		supdrv_os_free(made);
		return SUPDRV_ERR_NO_MEMORY;
	}
	memcpy(made->name, name, sizeof(made->name));
	made->size = size;
	*image = made;
	return SUPDRV_OK;
}

void supdrv_image_discard(struct supdrv_device *device, struct supdrv_image *image)
{
	if (!image)
		return;
	memory_free(device, image->memory, image->size);
	supdrv_os_free(image->symbols);
	supdrv_os_free(image);
}

struct supdrv_image *supdrv_image_find(struct supdrv_device *device, const char *name)
{
	struct supdrv_image *image;

	for (image = device->images; image; image = image->next)
		if (!strcmp(image->name, name))
			return image;
	return NULL;
}

static bool base_is_free(const struct supdrv_device *device, uintptr_t base, uint32_t size)
{
	const struct supdrv_image *image;

	for (image = device->images; image; image = image->next)
		if (base < image->base + image->size && image->base < base + size)
			return false;
	return true;
}

/* Tokens are of the upper half of the lower half, so an image that ends with it cannot wrap. */
static uintptr_t base_make(uint32_t size)
{
	const uintptr_t end = ~(uintptr_t)0 >> 1;
	uintptr_t base = supdrv_token_make();

	if (end - base < size)
		base -= size;
	return base & ~(uintptr_t)(IMAGE_ALIGNMENT - 1);
}

/* The window is so much larger than all images that a few tries find room for one more. */
static bool base_choose(struct supdrv_device *device, struct supdrv_image *image)
{
	uint32_t tries;

	if (device->ring0_images) {
		image->base = (uintptr_t)image->memory;
		return true;
	}
	for (tries = 0; tries < PLACE_TRIES; tries++) {
		image->base = base_make(image->size);
		if (base_is_free(device, image->base, image->size))
			return true;
	}
	return false;
}

bool supdrv_image_has_room(const struct supdrv_device *device, uint32_t size)
{
	return device->counters[SUPDRV_COUNTER_IMAGES] < SUPDRV_IMAGES_MAX &&
	       size <= SUPDRV_IMAGE_BYTES_MAX - device->image_bytes;
}

bool supdrv_image_link(struct supdrv_device *device, struct supdrv_image *image)
{
	if (!supdrv_image_has_room(device, image->size) || !base_choose(device, image))
		return false;
	device->image_bytes += image->size;
	image->next = device->images;
	device->images = image;
	supdrv_counter_add(device, SUPDRV_COUNTER_IMAGES, 1);
	return true;
}

struct supdrv_image *supdrv_image_at(const struct supdrv_session *session, uintptr_t base)
{
	const struct supdrv_image_usage *usage;

	for (usage = session->images; usage; usage = usage->next)
		if (usage->image->base == base)
			return usage->image;
	return NULL;
}

/* Whoever was last takes the time: the thread that freed it, or one that ran in it meanwhile. */
static void image_destroy(struct supdrv_device *device, struct supdrv_image *image)
{
	const uint32_t size = image->size;

	if (image->state == SUPDRV_IMAGE_LOADED && image->term)
		image->term();
	supdrv_image_discard(device, image);
	supdrv_os_lock_acquire(&device->lock);
	device->image_bytes -= size;
	supdrv_counter_add(device, SUPDRV_COUNTER_IMAGES, -1);
	supdrv_os_lock_release(&device->lock);
}

void supdrv_image_unref(struct supdrv_device *device, struct supdrv_image *image)
{
	bool last;

	supdrv_os_lock_acquire(&device->lock);
	last = --image->references == 0;
	supdrv_os_lock_release(&device->lock);
	if (last)
		image_destroy(device, image);
}
