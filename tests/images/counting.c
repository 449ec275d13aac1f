// SPDX-License-Identifier: MIT
/* Counts its own life in memory that the test links it with, and does what it finds there. */
#include "ring0.h"

#define INTERRUPTED (-39)

enum word { INITS, TERMS, INIT_RESULT, INIT_WAITS, ENTRY_WAITS, INSIDE, CALLS_OUT_OF_LIFE, WORDS };
enum operation { WAIT = 100 };

extern volatile int32_t counting[WORDS];

/* Until the word is 0, or the client is killed. */
static bool wait_for(enum word word)
{
	while (counting[word])
		if (RTThreadSleep(1) != 0)
			return false;
	return true;
}

int32_t image_init(void)
{
	counting[INITS]++;
	return wait_for(INIT_WAITS) ? counting[INIT_RESULT] : INTERRUPTED;
}

void image_term(void)
{
	counting[TERMS]++;
}

int32_t image_entry(uintptr_t vm, uint32_t operation, void *argument)
{
	(void)vm;
	(void)argument;
	if (counting[INITS] == counting[TERMS])
		counting[CALLS_OUT_OF_LIFE]++;
	if (operation < WORDS)
		return counting[operation];
	if (operation != WAIT)
		return 0;
	counting[INSIDE] = 1;
	return wait_for(ENTRY_WAITS) ? 0 : INTERRUPTED;
}
