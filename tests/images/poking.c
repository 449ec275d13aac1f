// SPDX-License-Identifier: MIT
/* Runs once, in its init: for tests that have no entry to call. */
#include "ring0.h"

extern volatile uint32_t target;
extern const char value;

int32_t image_init(void)
{
	target = (uint32_t)(uintptr_t)&value;
	return 0;
}
