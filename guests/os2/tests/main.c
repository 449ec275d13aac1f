/* SPDX-License-Identifier: MIT */
/* The test program: all tests, or what a child or a test from outside is to do. */
#include "test.h"

bool test_failed;

static bool run_all(const struct test *tests)
{
	bool all = true;

	for (; tests->name; tests++) {
		test_failed = false;
		tests->run();
		printf("%s %s\n", test_failed ? "not ok" : "ok", tests->name);
		all = all && !test_failed;
	}
	return all;
}

HFILE device(void)
{
	uint32_t action;
	HFILE file = 0xFFFFFFFF;

	DosOpen(TEST_DEVICE, &file, &action, 0, 0, OPEN_ACTION_OPEN_IF_EXISTS,
		OPEN_ACCESS_READWRITE | OPEN_SHARE_DENYNONE, NULL);
	return file;
}

APIRET ask(HFILE file, uint32_t function, void *parameters, uint32_t parameters_length, void *data,
	   uint32_t data_length)
{
	return DosDevIOCtl(file, TEST_CATEGORY, function, parameters, parameters_length,
			   &parameters_length, data, data_length, &data_length);
}

static const struct {
	const char *name;
	uint32_t function;
} ends[] = {
    {"null", TEST_NULL},	 {"read-only", TEST_READ_ONLY}, {"run-data", TEST_RUN_DATA},
    {"overflow", TEST_OVERFLOW}, {"spin", TEST_SPIN},		{"spin-off", TEST_SPIN_OFF},
    {"stop", TEST_STOP},
};

/* The system is to end. */
static int end_of_system(const char *how)
{
	uint32_t page = (uint32_t)&child_main; /* of this program: cannot be written */

	if (strcmp(how, "reset") == 0)
		DosShutdown(SHUT_REBOOT);
	for (unsigned i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (strcmp(how, ends[i].name) == 0)
			ask(device(), ends[i].function, &page, sizeof(page), NULL, 0);
	printf("# the system goes on after %s\n", how);
	return 1;
}

int main(int argc, char **argv)
{
	bool all = true;

	if (argc == 3 && strcmp(argv[1], "end") == 0)
		return end_of_system(argv[2]);
	if (argc == 2)
		return child_main(argv[1]);
	all &= run_all(file_tests);
	all &= run_all(memory_tests);
	all &= run_all(process_tests);
	all &= run_all(driver_tests);
	printf("tests %s\n", all ? "passed" : "failed");
	return !all;
}
