/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What is around the driver: memory, processor, clock and chance. */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include "input.h"

void machine_reset(void);
/* action decides what changes, the input how. */
void machine_act(uint8_t action, struct input *input);

#endif
