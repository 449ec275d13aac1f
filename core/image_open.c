// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* LDR_OPEN and LDR_FREE: which session has which image open, and how often. */
#include "supdrv_image.h"

/* Inside this file: the name is new, and opening has no image for it yet. */
#define NEEDS_IMAGE 1

/* What has been made in advance, because nothing is allocated with the lock held. */
struct opening {
	const char *name;
	uint32_t size;
	struct supdrv_image *image;	  /* becomes NULL if it is used */
	struct supdrv_image_usage *usage; /* likewise */
	uintptr_t base;
	bool needs_loading;
};

static bool name_is_valid(const char name[sizeof(((SUPLDROPEN_IN *)0)->szName)])
{
	static const char forbidden[] = ";:()[]{}/\\|&*%#@!~`\"'";
	const char *end = memchr(name, '\0', sizeof(((SUPLDROPEN_IN *)0)->szName));
	const char *character;

	if (!end || end == name)
		return false;
	for (character = name; character < end; character++)
		if (memchr(forbidden, *character, sizeof(forbidden) - 1))
			return false;
	return true;
}

static struct supdrv_image_usage **usage_find(struct supdrv_session *session, uintptr_t base)
{
	struct supdrv_image_usage **link = &session->images;

	while (*link && (*link)->image->base != base)
		link = &(*link)->next;
	return link;
}

static void usage_link(struct supdrv_session *session, struct supdrv_image_usage *usage,
		       struct supdrv_image *image)
{
	usage->image = image;
	usage->next = session->images;
	session->images = usage;
	image->sessions++;
	image->references++;
}

/* The session's reference to the image goes to the caller. */
static struct supdrv_image_usage *usage_unlink(struct supdrv_device *device,
					       struct supdrv_image_usage **link)
{
	struct supdrv_image_usage *usage = *link;
	struct supdrv_image *image = usage->image;
	struct supdrv_image **other = &device->images;

	*link = usage->next;
	if (--image->sessions)
		return usage;
	/* Nobody finds it any more and nobody enters it any more; who is in it stays in it. */
	while (*other != image)
		other = &(*other)->next;
	*other = image->next;
	if (device->vmmr0 == image)
		device->vmmr0 = NULL;
	return usage;
}

static void usage_end(struct supdrv_device *device, struct supdrv_image_usage *usage)
{
	supdrv_image_unref(device, usage->image);
	supdrv_os_free(usage);
}

/* With the lock held. */
static int32_t opening_count(struct supdrv_session *session, struct opening *opening,
			     struct supdrv_image *image)
{
	struct supdrv_image_usage **link;

	link = usage_find(session, image->base);
	if (!*link) {
		usage_link(session, opening->usage, image);
		opening->usage = NULL;
		link = &session->images;
	}
	if ((*link)->count == SUPDRV_IMAGE_OPENS_MAX)
		return SUPDRV_ERR_NO_MEMORY;
	(*link)->count++;
	supdrv_counter_add(session->device, SUPDRV_COUNTER_IMAGE_REFERENCES, 1);
	opening->base = image->base;
	opening->needs_loading = image->state != SUPDRV_IMAGE_LOADED;
	return SUPDRV_OK;
}

/* With the lock held: the image of that name, or opening's own from now on. */
static int32_t opening_find(struct supdrv_device *device, struct opening *opening,
			    struct supdrv_image **image)
{
	*image = supdrv_image_find(device, opening->name);
	if (*image)
		return SUPDRV_OK;
	if (!opening->image)
		return supdrv_image_has_room(device, opening->size) ? NEEDS_IMAGE
								    : SUPDRV_ERR_NO_MEMORY;
	if (!supdrv_image_link(device, opening->image))
		return SUPDRV_ERR_NO_MEMORY;
	*image = opening->image;
	opening->image = NULL;
	return SUPDRV_OK;
}

static int32_t opening_try(struct supdrv_session *session, struct opening *opening)
{
	struct supdrv_device *device = session->device;
	struct supdrv_image *image;
	int32_t status;

	supdrv_os_lock_acquire(&device->lock);
	status = opening_find(device, opening, &image);
	if (!status)
		status = opening_count(session, opening, image);
	supdrv_os_lock_release(&device->lock);
	return status;
}

static int32_t opening_run(struct supdrv_session *session, struct opening *opening)
{
	int32_t status;

	opening->usage = supdrv_os_alloc(sizeof(*opening->usage));
	if (!opening->usage)
		return SUPDRV_ERR_NO_MEMORY;
	status = opening_try(session, opening);
	if (status != NEEDS_IMAGE)
		return status;
	status =
	    supdrv_image_create(session->device, opening->name, opening->size, &opening->image);
	return status ? status : opening_try(session, opening);
}

/* One open less. The image dies with the last one of all sessions. */
static int32_t usage_drop(struct supdrv_session *session, uintptr_t base)
{
	struct supdrv_device *device = session->device;
	struct supdrv_image_usage *ended = NULL;
	struct supdrv_image_usage **link;

	supdrv_os_lock_acquire(&device->lock);
	link = usage_find(session, base);
	if (!*link) {
		supdrv_os_lock_release(&device->lock);
		return SUPDRV_ERR_INVALID_HANDLE;
	}
	supdrv_counter_add(device, SUPDRV_COUNTER_IMAGE_REFERENCES, -1);
	if (--(*link)->count == 0)
		ended = usage_unlink(device, link);
	supdrv_os_lock_release(&device->lock);

	if (ended)
		usage_end(device, ended);
	return SUPDRV_OK;
}

static void image_open_undo(struct supdrv_session *session, uint64_t base)
{
	usage_drop(session, (uintptr_t)base);
}

int32_t supdrv_image_open(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPLDROPEN_IN *in = call->buffer;
	struct opening opening = {.name = in->szName, .size = in->cbImage};
	SUPLDROPEN_OUT *out;
	int32_t status;

	if (!in->cbImage || in->cbImage > SUPDRV_IMAGE_SIZE_MAX || !name_is_valid(in->szName))
		return SUPDRV_ERR_INVALID_PARAM;

	status = opening_run(session, &opening);
	supdrv_image_discard(session->device, opening.image);
	supdrv_os_free(opening.usage);
	if (status)
		return status;

	out = supdrv_call_output(call, sizeof(*out));
	out->pvImageBase = (void *)opening.base;
	out->fNeedsLoading = opening.needs_loading;
	call->undo = image_open_undo;
	call->undo_key = opening.base;
	return SUPDRV_OK;
}

int32_t supdrv_image_free(struct supdrv_session *session, struct supdrv_call *call)
{
	const SUPLDRFREE_IN *in = call->buffer;

	return usage_drop(session, (uintptr_t)in->pvImageBase);
}

void supdrv_images_close(struct supdrv_session *session)
{
	struct supdrv_device *device = session->device;

	while (session->images) {
		struct supdrv_image_usage *usage;

		supdrv_os_lock_acquire(&device->lock);
		supdrv_counter_add(device, SUPDRV_COUNTER_IMAGE_REFERENCES,
				   -(int64_t)session->images->count);
		usage = usage_unlink(device, &session->images);
		supdrv_os_lock_release(&device->lock);
		usage_end(device, usage);
	}
}
