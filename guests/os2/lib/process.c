/* SPDX-License-Identifier: MIT */
/* What C has at the start and the end of a program, and threads. */
#include <stdlib.h>
#include <string.h>

#include "os2_calls.h"

#define ARGUMENTS_MAX 64

int main(int argc, char **argv);
APIRET GuestCreateThread(TID *tid, void (*start)(void), void *argument, uint32_t stack_size);
void thread_start(void);
void program_begin(char *line) __attribute__((noreturn));
struct thread_run;
void thread_begin(struct thread_run *run) __attribute__((noreturn));

/* The program's name, then words between blanks. */
static int split(char *line, char **argv)
{
	int argc = 0;

	argv[argc++] = line;
	line += strlen(line) + 1;
	while (*line && argc < ARGUMENTS_MAX) {
		while (*line == ' ')
			*line++ = 0;
		if (*line)
			argv[argc++] = line;
		while (*line && *line != ' ')
			line++;
	}
	argv[argc] = NULL;
	return argc;
}

void program_begin(char *line)
{
	char *argv[ARGUMENTS_MAX + 1];
	int argc = split(line, argv);

	exit(main(argc, argv));
}

void exit(int code)
{
	DosExit(EXIT_PROCESS, (uint32_t)code);
}

void _Exit(int code)
{
	DosExit(EXIT_PROCESS, (uint32_t)code);
}

void abort(void)
{
	DosExit(EXIT_PROCESS, 134);
}

char *getenv(const char *name)
{
	(void)name;
	return NULL;
}

struct thread_run {
	os2_thread *run;
	uint32_t argument;
};

void thread_begin(struct thread_run *run)
{
	struct thread_run own = *run;

	free(run);
	own.run(own.argument);
	DosExit(EXIT_THREAD, 0);
}

APIRET DosCreateThread(TID *tid, os2_thread *run, uint32_t argument, uint32_t flags,
		       uint32_t stack_size)
{
	struct thread_run *own = malloc(sizeof(*own));
	APIRET error;

	(void)flags;
	if (!own)
		return ERROR_NOT_ENOUGH_MEMORY;
	*own = (struct thread_run){run, argument};
	error = GuestCreateThread(tid, thread_start, own, stack_size);
	if (error)
		free(own);
	return error;
}
