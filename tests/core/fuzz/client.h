/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What a client knows of the driver, and the inputs that it makes of that. */
#ifndef FUZZ_CLIENT_H
#define FUZZ_CLIENT_H

#include "forms.h"
#include "input.h"

#define CLIENT_IN_MAX (64u * 1024)
#define SEEN_MAX      8u

/* The last values that requests of one form have answered with. */
struct seen {
	uintptr_t values[SEEN_MAX];
	uint32_t sizes[SEEN_MAX]; /* of what lies there */
	uint32_t count;
};

struct knowledge {
	struct seen seen[FORM_COUNT];
	bool images_run;
};

struct message {
	enum form_name form;
	uint32_t in_size;
	uint32_t out_size;
	_Alignas(8) uint8_t in[CLIENT_IN_MAX];
};

/* Fills in everything but the cookies: correctly, but for what the input wants wrong. */
void message_fill(struct message *message, const struct knowledge *knowledge, struct input *input);
/* LDR_LOAD, after its other fields have been cleared. */
void message_fill_image(struct message *message, const struct knowledge *knowledge,
			struct input *input);
/* Writes the low bytes of a value into the message's input. */
void message_put(struct message *message, uint32_t offset, uint64_t value, uint32_t size);

/* An answer to message that succeeded. */
void knowledge_add(struct knowledge *knowledge, const struct message *message, const uint8_t *out,
		   uint32_t out_size);
/* One of the last values, the latest for 0, and the size of what lies there; 0 if there is none. */
uintptr_t knowledge_recall(const struct knowledge *knowledge, enum form_name form, uint32_t which);
uint32_t knowledge_recall_size(const struct knowledge *knowledge, enum form_name form,
			       uint32_t which);

/* A value that no well-meaning client would send. */
uint64_t odd_value(const struct knowledge *knowledge, struct input *input);

#endif
