/* SPDX-License-Identifier: MIT */
/* Tests that run in the guest: a line "ok NAME" or "not ok NAME: FILE:LINE: WHAT" for each. */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "os2_guest.h"
#include "test_driver.h"

extern bool test_failed;

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			printf("# %s:%d: %s\n", __FILE__, __LINE__, #what);                        \
			test_failed = true;                                                        \
			return;                                                                    \
		}                                                                                  \
	} while (0)

struct test {
	const char *name;
	void (*run)(void);
};

extern const struct test file_tests[], memory_tests[], process_tests[], driver_tests[];

/* This program anew, with that argument; how it ended. */
struct os2_result_codes child(const char *argument);
/* Started, and not waited for. */
PID child_start(const char *argument);
/* What a child does for an argument. */
int child_main(const char *what);
HFILE device(void);
/* A request to the test driver. */
APIRET ask(HFILE file, uint32_t function, void *parameters, uint32_t parameters_length, void *data,
	   uint32_t data_length);

#endif
