// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Runs the test whose name is the argument; without one, prints the names of all. */
#include "host.h"

#define TEST_MAX 400

static struct {
	const char *name;
	host_test *test;
} tests[TEST_MAX];
static uint32_t test_count;

void host_test_add(const char *name, host_test *test)
{
	CHECK(test_count < TEST_MAX);
	tests[test_count].name = name;
	tests[test_count++].test = test;
}

int main(int argc, char **argv)
{
	uint32_t i;

	for (i = 0; i < test_count; i++) {
		if (argc < 2) {
			puts(tests[i].name);
		} else if (!strcmp(argv[1], tests[i].name)) {
			tests[i].test();
			return 0;
		}
	}
	return argc < 2 ? 0 : 2;
}
