/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* Images: what the files that open, load, search, enter and free them share. */
#ifndef SUPDRV_IMAGE_H
#define SUPDRV_IMAGE_H

#include "supdrv_internal.h"

#define SUPDRV_IMAGE_SIZE_MAX	 (16u * 1024 * 1024 - 1)
#define SUPDRV_IMAGE_SYMBOLS_MAX 16384u
#define SUPDRV_SYMBOL_NAME_MAX	 1023u
/* Of all sessions together, and opens of one image by one session. */
#define SUPDRV_IMAGES_MAX      256u
#define SUPDRV_IMAGE_BYTES_MAX (64u * 1024 * 1024)
#define SUPDRV_IMAGE_OPENS_MAX 65535u

enum supdrv_image_state {
	SUPDRV_IMAGE_OPEN,    /* has no contents */
	SUPDRV_IMAGE_LOADING, /* one thread fills it and runs its init; nobody else may use it */
	SUPDRV_IMAGE_LOADED   /* for good: nothing below the state changes any more */
};

typedef int32_t(SUPDRV_CALLBACK supdrv_vmmr0_entry)(uintptr_t vm, uint32_t operation,
						    void *argument);

/* A copy of what a client gave, so that code in the image cannot change it after it was checked. */
struct supdrv_symbols {
	uint32_t count;
	const SUPLDRSYM *entries;
	const char *strings; /* every entry's name lies in it and ends in it */
};

/*
 * The device's lock guards it. It is in the device's list, and may be the registered VMMR0 image,
 * as long as a session has it open. It dies with its last reference, which may be a thread in it.
 */
struct supdrv_image {
	struct supdrv_image *next;
	char name[sizeof(((SUPLDROPEN_IN *)0)->szName)];
	uint32_t size;
	uintptr_t base; /* what clients hold: the address of memory if images run, else a token */
	void *memory;
	uint32_t
	    references; /* sessions that have it open, and threads that load, search or run it */
	uint32_t sessions;
	enum supdrv_image_state state;
	struct supdrv_symbols *symbols; /* NULL: none */
	PFNR0MODULETERM term;		/* NULL: none */
	supdrv_vmmr0_entry *entry;	/* NULL: it has none */
};

/* One session's opens of one image. */
struct supdrv_image_usage {
	struct supdrv_image_usage *next;
	struct supdrv_image *image;
	uint32_t count;
};

int32_t supdrv_image_create(struct supdrv_device *device, const char *name, uint32_t size,
			    struct supdrv_image **image);
/* For an image that nobody else has seen. NULL is allowed. */
void supdrv_image_discard(struct supdrv_device *device, struct supdrv_image *image);

/* All of these with the device's lock held. */
struct supdrv_image *supdrv_image_find(struct supdrv_device *device, const char *name);
/* Whether there may be one more image of that size. */
bool supdrv_image_has_room(const struct supdrv_device *device, uint32_t size);
/* Puts a new image into the device's list, at a base of its own. False: there is no room. */
bool supdrv_image_link(struct supdrv_device *device, struct supdrv_image *image);
/* The image at base, if this session has it open. */
struct supdrv_image *supdrv_image_at(const struct supdrv_session *session, uintptr_t base);

/* Without the lock: the last one runs the image's term and frees it. */
void supdrv_image_unref(struct supdrv_device *device, struct supdrv_image *image);

int32_t supdrv_symbols_check(const SUPLDRLOAD_IN *in);
/* A checked request's symbols; *symbols is NULL if there are none. */
int32_t supdrv_symbols_copy(const SUPLDRLOAD_IN *in, struct supdrv_symbols **symbols);

/* The VMMR0 entry of images that do not run. */
supdrv_vmmr0_entry supdrv_vmmr0_builtin;
/* Calls the registered entry without the lock. False: there is none. */
bool supdrv_vmmr0_enter(struct supdrv_device *device, uintptr_t vm, uint32_t operation,
			void *argument, int32_t *result);

#endif
