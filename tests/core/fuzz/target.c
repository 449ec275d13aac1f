// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* libFuzzer's entry: the device is loaded, used as the bytes say, and unloaded. */
#include "world.h"

#define ACTION_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input input = {data, data + size};
	static struct world world;
	uint32_t i;

	world_begin(&world, &input);
	for (i = 0; input_is_left(&input) && i < ACTION_MAX; i++)
		world_act(&world, &input);
	world_end(&world);
	return 0;
}
