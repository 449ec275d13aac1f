/* SPDX-License-Identifier: MIT */
/* A client goes on as another program, or as the same one anew, with the handles that it had. */
#include "agent.h"

#include <stdlib.h>
#include <string.h>

#define RESUME	    "--resume"
#define NUMBER_SIZE 24u
#define FIXED                                                                                      \
	4u /* program, RESUME, stream, frame id; a number and a handle for each one follow         \
	    */

struct arguments {
	char *argument[FIXED + 2 * HANDLES_MAX + 1];
	uint32_t count;
	bool incomplete;
};

static void arguments_add(struct arguments *to, const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	if (!copy) {
		to->incomplete = true;
		return;
	}
	memcpy(copy, text, size);
	to->argument[to->count++] = copy;
}

static void arguments_add_number(struct arguments *to, uint64_t value)
{
	char text[NUMBER_SIZE] = {0}, *at = text + NUMBER_SIZE - 1;

	do
		*--at = (char)('0' + value % 10);
	while ((value /= 10));
	arguments_add(to, at);
}

static void arguments_drop(struct arguments *from)
{
	while (from->count > 0)
		free(from->argument[--from->count]);
	memset(from, 0, sizeof(*from));
}

/* What exec_resume() reads, and the handles that it speaks of; how many there are. */
static uint32_t arguments_make(struct arguments *to, const struct agent *a, const char *program,
			       os_handle *kept)
{
	uint32_t count = 0;

	arguments_add(to, program);
	arguments_add(to, RESUME);
	arguments_add_number(to, (uint64_t)a->stream.in);
	arguments_add_number(to, a->frame_id);
	kept[count++] = a->stream.in;
	for (uint32_t number = 0; number < HANDLES_MAX; number++) {
		os_handle handle = handle_get(number);

		if (handle == OS_NO_HANDLE)
			continue;
		arguments_add_number(to, number);
		arguments_add_number(to, (uint64_t)handle);
		kept[count++] = handle;
	}
	return count;
}

struct outcome op_exec(struct agent *a, struct reader *in, struct reply *out)
{
	static char program[PATH_SIZE];
	static struct arguments arguments;
	static os_handle kept[1 + HANDLES_MAX];
	uint32_t count, error = 0;
	bool incomplete;

	(void)out;
	get_string(in, program, sizeof(program));
	if (!reader_done(in))
		return refused(ST_BAD_PAYLOAD);
	if (!a->is_client)
		return refused(ST_UNSUPPORTED);
	count = arguments_make(&arguments, a, program, kept);
	incomplete = arguments.incomplete;
	if (!incomplete)
		error = os_exec(program, kept, count, arguments.argument);
	arguments_drop(&arguments);
	return incomplete ? refused(ST_NO_MEMORY) : os_outcome(error);
}

bool exec_resume(struct agent *a, int argc, char **argv)
{
	if (argc < (int)FIXED || argc % 2 || strcmp(argv[1], RESUME) != 0)
		return false;
	if (os_stream_client(&a->stream, argv[2]))
		return false;
	a->is_client = true;
	a->first_op = OP_EXEC;
	a->first_id = (uint32_t)strtoul(argv[3], NULL, 10);
	for (int i = (int)FIXED; i < argc; i += 2) {
		os_handle handle = (os_handle)strtoll(argv[i + 1], NULL, 10);

		if (os_handle_resume(handle) ||
		    !handle_adopt((uint32_t)strtoul(argv[i], NULL, 10), handle))
			return false;
	}
	return true;
}
