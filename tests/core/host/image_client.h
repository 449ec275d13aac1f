/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A client that opens, loads and frees images. */
#ifndef IMAGE_CLIENT_H
#define IMAGE_CLIENT_H

#include "host.h"
#include "supdrv_image.h"

#define LOADING_IMAGE_MAX 8192u

/* LDR_LOAD's input, with room for the image. */
struct loading {
	SUPLDRLOAD_IN in;
	uint8_t room[LOADING_IMAGE_MAX];
	uint32_t size; /* of the whole input */
};

int32_t image_open(struct supdrv_session *session, const char *name, uint32_t size,
		   SUPLDROPEN_OUT *out);
/* For a client that is sure of it; returns the base. */
uintptr_t image_open_well(struct supdrv_session *session, const char *name, uint32_t size);
int32_t image_free(struct supdrv_session *session, uintptr_t base);

/* A correct load of an image full of int3 without symbols, callbacks and entry. */
void loading_init(struct loading *loading, uintptr_t base, uint32_t size);
/* Registers base + offset as the VMMR0 entry. */
void loading_set_entry(struct loading *loading, uint32_t offset);
int32_t image_load(struct supdrv_session *session, const struct loading *loading);

int32_t image_symbol(struct supdrv_session *session, uintptr_t base, const char *name,
		     uintptr_t *address);
int32_t vmmr0_call(struct supdrv_session *session, uint32_t operation, int32_t *result);

/* What the device counts. */
uint64_t images_counted(const struct bench *bench);
uint64_t opens_counted(const struct bench *bench);

#endif
