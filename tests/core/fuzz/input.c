// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include "input.h"

bool input_is_left(const struct input *input)
{
	return input->at < input->end;
}

uint8_t input_byte(struct input *input)
{
	return input_is_left(input) ? *input->at++ : 0;
}

uint32_t input_word(struct input *input)
{
	uint32_t word = 0, i;

	for (i = 0; i < 4; i++)
		word |= (uint32_t)input_byte(input) << 8 * i;
	return word;
}

uint64_t input_long(struct input *input)
{
	uint64_t low = input_word(input);

	return low | (uint64_t)input_word(input) << 32;
}

uint32_t input_below(struct input *input, uint32_t limit)
{
	return limit ? input_byte(input) % limit : 0;
}
