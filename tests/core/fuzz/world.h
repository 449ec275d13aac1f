/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* A device, some sessions, and the actions that the fuzzer's bytes stand for. */
#ifndef FUZZ_WORLD_H
#define FUZZ_WORLD_H

#include "client.h"

#define SESSION_COUNT	 4u
#define INTERRUPTION_MAX 16u

struct world {
	struct bench bench; /* its session is always open */
	struct supdrv_session *others[SESSION_COUNT - 1];
	uint32_t cookies[SESSION_COUNT][2];
	struct knowledge knowledge;
	struct message messages[2]; /* of a request, and of one that interrupts it */
	uint32_t depth;
	uint32_t interruptions;
	struct input interruption;
	uint8_t interruption_bytes[INTERRUPTION_MAX];
};

void world_begin(struct world *world, struct input *input);
void world_act(struct world *world, struct input *input);
/* Closes everything; nothing may be left. */
void world_end(struct world *world);

#endif
