/* SPDX-License-Identifier: MIT */
/* Windows: client processes, the pipes to them and the handles that go there. */
#include "os_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto.h"

#define CHILDREN_MAX 256u
#define PIPE_SIZE    (64u * 1024)
#define NAME_LENGTH  64u
/* The exit code of a process that was killed: an exception's, as of one that met any other. */
#define KILLED	     0xc000010au /* STATUS_PROCESS_IS_TERMINATING */
#define IS_EXCEPTION 3u		 /* an exit code's two highest bits */

NTSYSAPI LONG NTAPI NtWriteVirtualMemory(HANDLE process, void *to, const void *from, SIZE_T length,
					 SIZE_T *written);

const bool os_process_is_dear = true;

/* Started and not yet known to have ended. */
static struct child {
	uint32_t pid;
	HANDLE process;
} children[CHILDREN_MAX];

static struct child *child_find(uint32_t pid)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (children[i].process && children[i].pid == pid)
			return &children[i];
	return NULL;
}

static struct child *child_place(void)
{
	for (unsigned i = 0; i < CHILDREN_MAX; i++)
		if (!children[i].process)
			return &children[i];
	return NULL;
}

/* Its last handle is closed with this process, and ends all that are in it. */
static HANDLE family(void)
{
	static HANDLE job;
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limit = {.BasicLimitInformation.LimitFlags =
							  JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};

	if (job)
		return job;
	job = CreateJobObjectW(NULL, NULL);
	if (job && !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limit,
					    sizeof(limit))) {
		CloseHandle(job);
		job = NULL;
	}
	return job;
}

/* A pipe for each way. Reads and writes of one that goes both ways would wait for each other. */
struct pipes {
	HANDLE in, out;		    /* ours */
	HANDLE child_in, child_out; /* what the child inherits */
};

static uint32_t pipes_make(struct pipes *p)
{
	*p = (struct pipes){0};
	if (!CreatePipe(&p->in, &p->child_out, NULL, PIPE_SIZE) ||
	    !CreatePipe(&p->child_in, &p->out, NULL, PIPE_SIZE))
		return win_error(false);
	return win_error(
	    SetHandleInformation(p->child_in, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) &&
	    SetHandleInformation(p->child_out, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT));
}

static void pipes_close(HANDLE one, HANDLE other)
{
	if (one)
		CloseHandle(one);
	if (other)
		CloseHandle(other);
}

static uint32_t program_path(const char *program, wchar_t path[WIN_PATH_SIZE])
{
	if (program[0])
		return win_path(program, path);
	return win_error(GetModuleFileNameW(NULL, path, WIN_PATH_SIZE) != 0);
}

/* What a child begins with: the family it belongs to, and its handles. */
struct heritage {
	STARTUPINFOEXW startup;
	HANDLE family, handles[2];
};

static uint32_t heritage_make(struct heritage *h, const struct pipes *pipes)
{
	LPPROC_THREAD_ATTRIBUTE_LIST list;
	SIZE_T size = 0;

	*h = (struct heritage){.startup.StartupInfo.cb = sizeof(h->startup),
			       .startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES,
			       .family = family(),
			       .handles = {pipes->child_in, pipes->child_out}};
	InitializeProcThreadAttributeList(NULL, 2, 0, &size);
	list = malloc(size);
	if (!h->family || !list || !InitializeProcThreadAttributeList(list, 2, 0, &size)) {
		free(list);
		return ERROR_NOT_ENOUGH_MEMORY;
	}
	h->startup.lpAttributeList = list;
	return win_error(UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
						   h->handles, sizeof(h->handles), NULL, NULL) &&
			 UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST,
						   &h->family, sizeof(HANDLE), NULL, NULL));
}

static void heritage_drop(struct heritage *h)
{
	if (!h->startup.lpAttributeList)
		return;
	DeleteProcThreadAttributeList(h->startup.lpAttributeList);
	free(h->startup.lpAttributeList);
}

static uint32_t child_start(const char *program, const struct pipes *pipes,
			    PROCESS_INFORMATION *started)
{
	static wchar_t path[WIN_PATH_SIZE], line[WIN_PATH_SIZE + NAME_LENGTH];
	struct heritage heritage;
	uint32_t error = program_path(program, path);

	if (error)
		return error;
	_snwprintf(line, WIN_PATH_SIZE + NAME_LENGTH, L"\"%ls\" --client %lu:%lu", path,
		   (unsigned long)(uintptr_t)pipes->child_in,
		   (unsigned long)(uintptr_t)pipes->child_out);
	error = heritage_make(&heritage, pipes);
	if (!error)
		error = win_error(CreateProcessW(
		    path, line, NULL, NULL, TRUE, EXTENDED_STARTUPINFO_PRESENT | DETACHED_PROCESS,
		    NULL, NULL, &heritage.startup.StartupInfo, started));
	heritage_drop(&heritage);
	return error;
}

uint32_t os_process_start(const char *program, bool inherit, struct os_process *p, bool *in_child)
{
	PROCESS_INFORMATION started = {0};
	struct child *place = child_place();
	struct channel *c;
	struct pipes pipes;
	uint32_t error;

	*in_child = false;
	if (inherit)
		return os_enosys; /* no fork */
	if (!place)
		return ERROR_NO_SYSTEM_RESOURCES;
	error = pipes_make(&pipes);
	if (!error)
		error = child_start(program, &pipes, &started);
	pipes_close(pipes.child_in, pipes.child_out);
	if (error) {
		pipes_close(pipes.in, pipes.out);
		return error;
	}
	CloseHandle(started.hThread);
	*place = (struct child){started.dwProcessId, started.hProcess};
	p->pid = started.dwProcessId;
	c = channel_blocking(pipes.in, pipes.out);
	p->stream = channel_stream(c);
	if (c)
		return 0;
	os_process_kill(p); /* dies without ever having been known */
	*place = (struct child){0};
	CloseHandle(started.hProcess);
	return ERROR_NOT_ENOUGH_MEMORY;
}

void os_process_kill(const struct os_process *p)
{
	const struct child *child = child_find(p->pid);

	if (child)
		TerminateProcess(child->process, KILLED);
}

static bool child_wait(const struct os_process *p, DWORD timeout_ms, struct os_exit *how)
{
	struct child *child = child_find(p->pid);
	DWORD code = 0;

	if (child && WaitForSingleObject(child->process, timeout_ms) != WAIT_OBJECT_0)
		return false;
	if (child) {
		GetExitCodeProcess(child->process, &code);
		CloseHandle(child->process);
		*child = (struct child){0};
	}
	how->how = code >> 30 == IS_EXCEPTION ? EXIT_SIGNAL : EXIT_CODE;
	how->code = code;
	return true;
}

bool os_process_ended(const struct os_process *p, struct os_exit *how)
{
	return child_wait(p, 0, how);
}

void os_process_await(const struct os_process *p, struct os_exit *how)
{
	child_wait(p, INFINITE, how);
}

uint32_t os_handle_export(const struct os_process *p, os_handle handle, uint64_t *token)
{
	const struct child *child = child_find(p->pid);
	HANDLE there = NULL;

	if (!child)
		return ERROR_PROCESS_ABORTED;
	if (!DuplicateHandle(GetCurrentProcess(), (HANDLE)handle, child->process, &there, 0, FALSE,
			     DUPLICATE_SAME_ACCESS))
		return win_error(false);
	*token = (uintptr_t)there;
	return 0;
}

os_handle os_handle_import(struct os_stream *s, uint64_t token)
{
	(void)s;
	return (os_handle)token;
}

uint32_t os_handle_take(const struct os_process *p, uint64_t value, os_handle *handle)
{
	const struct child *child = child_find(p->pid);
	HANDLE here = NULL;

	if (!child)
		return ERROR_PROCESS_ABORTED;
	if (!DuplicateHandle(child->process, (HANDLE)(uintptr_t)value, GetCurrentProcess(), &here,
			     0, FALSE, DUPLICATE_SAME_ACCESS))
		return win_error(false);
	*handle = (os_handle)here;
	return 0;
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

/* Nor has it any other user than the one it began with. */
uint32_t os_demote(uint32_t user, uint64_t lockable)
{
	(void)user;
	(void)lockable;
	return os_enosys;
}

static uint32_t process_open(uint32_t pid, HANDLE *process)
{
	*process = OpenProcess(PROCESS_VM_OPERATION | PROCESS_VM_READ | PROCESS_VM_WRITE |
				   PROCESS_QUERY_INFORMATION,
			       FALSE, pid);
	return win_error(*process != NULL);
}

uint32_t os_process_copy(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	HANDLE process;
	uint32_t error = process_open(pid, &process);

	if (error)
		return error;
	error = win_status_error(
	    NtWriteVirtualMemory(process, (void *)(uintptr_t)address, from, length, NULL));
	CloseHandle(process);
	return error;
}

/* As debuggers do: this call makes a page writable first, if it may. */
uint32_t os_process_debug(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	HANDLE process;
	uint32_t error;

	if (length > sizeof(void *))
		return ERROR_INVALID_PARAMETER;
	error = process_open(pid, &process);
	if (error)
		return error;
	error =
	    win_error(WriteProcessMemory(process, (void *)(uintptr_t)address, from, length, NULL));
	CloseHandle(process);
	return error;
}
