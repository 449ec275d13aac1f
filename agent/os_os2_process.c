/* SPDX-License-Identifier: MIT */
/* OS/2: client processes, and the pipes to them. */
#include "os_os2.h"

#include <stdio.h>
#include <string.h>

#include "proto.h"

#define PIPE_SIZE	(64u * 1024)
#define ARGUMENTS_SIZE	256u
#define NAME_IN_PROCESS "agent"

const bool os_process_is_dear = false;

/* A pipe for each way. */
struct pipes {
	HFILE in, out;		   /* ours */
	HFILE child_in, child_out; /* what the child inherits */
};

static void pipe_close(HFILE one, HFILE other)
{
	if (one)
		DosClose(one);
	if (other)
		DosClose(other);
}

static uint32_t pipes_make(struct pipes *p)
{
	uint32_t error;

	*p = (struct pipes){0};
	error = DosCreatePipe(&p->in, &p->child_out, PIPE_SIZE);
	if (!error)
		error = DosCreatePipe(&p->child_in, &p->out, PIPE_SIZE);
	if (!error)
		error = DosSetFHState(p->in, OPEN_FLAGS_NOINHERIT);
	if (!error)
		error = DosSetFHState(p->out, OPEN_FLAGS_NOINHERIT);
	return error;
}

/* Two texts, one behind the other, and an empty one. */
static void arguments_make(char arguments[ARGUMENTS_SIZE], const struct pipes *p)
{
	int length = snprintf(arguments, ARGUMENTS_SIZE, "%s", NAME_IN_PROCESS) + 1;

	length += snprintf(arguments + length, ARGUMENTS_SIZE - (size_t)length, "--client %u:%u",
			   (unsigned)p->child_in, (unsigned)p->child_out);
	arguments[length + 1] = 0;
}

static uint32_t child_start(const char *program, const struct pipes *p, uint32_t *pid)
{
	char arguments[ARGUMENTS_SIZE], failed[ARGUMENTS_SIZE];
	struct os2_result_codes codes = {0};
	uint32_t error;

	arguments_make(arguments, p);
	error =
	    DosExecPgm(failed, sizeof(failed), EXEC_ASYNCRESULT, arguments, NULL, &codes, program);
	*pid = codes.terminate;
	return error;
}

uint32_t os_process_start(const char *program, bool inherit, struct os_process *p, bool *in_child)
{
	struct pipes pipes;
	uint32_t error;

	*in_child = false;
	if (inherit)
		return os_enosys; /* no fork */
	error = pipes_make(&pipes);
	if (!error)
		error = child_start(program, &pipes, &p->pid);
	pipe_close(pipes.child_in, pipes.child_out);
	if (error) {
		pipe_close(pipes.in, pipes.out);
		return error;
	}
	p->stream = (struct os_stream){
	    .in = (os_handle)pipes.in, .out = (os_handle)pipes.out, .received = OS_NO_HANDLE};
	return 0;
}

void os_process_kill(const struct os_process *p)
{
	DosKillProcess(DKP_PROCESS, p->pid);
}

static bool child_wait(const struct os_process *p, uint32_t option, struct os_exit *how)
{
	struct os2_result_codes codes = {0};
	PID ended;

	if (DosWaitChild(DCWA_PROCESS, option, &codes, &ended, p->pid) == ERROR_CHILD_NOT_COMPLETE)
		return false;
	how->how = codes.terminate == TC_EXIT ? EXIT_CODE : EXIT_SIGNAL;
	how->code = codes.result;
	return true;
}

bool os_process_ended(const struct os_process *p, struct os_exit *how)
{
	return child_wait(p, DCWW_NOWAIT, how);
}

void os_process_await(const struct os_process *p, struct os_exit *how)
{
	child_wait(p, DCWW_WAIT, how);
}

/* A handle goes to a child only when that is started, under its number. */
uint32_t os_handle_export(const struct os_process *p, os_handle handle, uint64_t *token)
{
	uint32_t mode = 0, error = DosQueryFHState(os2_file(handle), &mode);

	(void)p;
	*token = (uint64_t)handle;
	if (error)
		return error;
	return mode & OPEN_FLAGS_NOINHERIT ? os_enosys : 0;
}

os_handle os_handle_import(struct os_stream *s, uint64_t token)
{
	uint32_t mode;

	(void)s;
	return DosQueryFHState((HFILE)token, &mode) ? OS_NO_HANDLE : (os_handle)token;
}

/* No process can be asked for what it has open. */
uint32_t os_handle_take(const struct os_process *p, uint64_t value, os_handle *handle)
{
	(void)p;
	(void)value;
	(void)handle;
	return os_enosys;
}

/* A process has one program for all its life. */
uint32_t os_exec(const char *program, const os_handle *kept, uint32_t count, char **arguments)
{
	(void)program;
	(void)kept;
	(void)count;
	(void)arguments;
	return os_enosys;
}

uint32_t os_handle_resume(os_handle handle)
{
	(void)handle;
	return os_enosys;
}

/* The system has no users. */
uint32_t os_demote(uint32_t user, uint64_t lockable)
{
	(void)user;
	(void)lockable;
	return os_enosys;
}
