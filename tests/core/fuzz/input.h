/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The fuzzer's bytes as decisions. Behind their end there are zeros, and zeros decide for the most
 * ordinary case everywhere. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include "supdrv_os.h"

struct input {
	const uint8_t *at;
	const uint8_t *end;
};

bool input_is_left(const struct input *input);
uint8_t input_byte(struct input *input);
uint32_t input_word(struct input *input);
uint64_t input_long(struct input *input);
/* 0 if limit is 0, else below it. */
uint32_t input_below(struct input *input, uint32_t limit);

#endif
