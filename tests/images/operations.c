// SPDX-License-Identifier: MIT
/* Answers operations of tests. vm and argument are numbers here, or addresses in the kernel. */
#include "ring0.h"

enum operation {
	RAW_RUN = 0,
	HWACC_RUN = 1,
	NOP = 14,
	RETURN = 100,
	PEEK,
	POKE,
};

int32_t image_entry(uintptr_t vm, uint32_t operation, void *argument)
{
	volatile int32_t *word = (volatile int32_t *)vm;

	switch (operation) {
	case RAW_RUN: /* which vm the fast requests give, in pages */
		return (int32_t)(vm >> 12);
	case HWACC_RUN: /* and that they give no argument */
		return argument ? -1 : 1;
	case NOP:
		return 0;
	case RETURN:
		return (int32_t)(intptr_t)argument;
	case PEEK:
		return *word;
	case POKE:
		*word = (int32_t)(intptr_t)argument;
		return 0;
	default:
		return -37;
	}
}
