/* SPDX-License-Identifier: MIT */
/* What is FreeBSD's own; the rest is in os_posix.c. */
#include "os_posix.h"

#include "freebsd/runtime.h"
#include "os_freebsd.h"

#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/procctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto.h"

#ifndef MAP_32BIT
#define MAP_32BIT 0
#endif

/* The kernel tells a 32-bit program that the machine is one, too; only a 64-bit kernel runs such
 * ones. */
static const char *kernel_machine(void)
{
	int brand;
	size_t length = sizeof(brand);

	return freebsd_sysctl("kern.elf64.fallback_brand", &brand, &length, NULL, 0) ? "x86"
										     : "amd64";
}

void os_query(struct os_facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->os = "freebsd";
	facts->pid = (uint32_t)getpid();
	snprintf(facts->machine, sizeof(facts->machine), "%s", kernel_machine());
	freebsd_sysctl_text("kern.osrelease", facts->release, sizeof(facts->release));
	freebsd_sysctl_text("kern.version", facts->version, sizeof(facts->version));
}

/* A kernel of 32 bits does not know MAP_32BIT; all of its processes' memory is low. */
uint32_t posix_map_flags(uint32_t flags)
{
	bool low = flags & MEM_LOW && sizeof(void *) == 8;

	return (flags & MEM_FIXED ? MAP_FIXED | MAP_EXCL : 0) | (low ? MAP_32BIT : 0);
}

uint32_t os_move(uint64_t address, uint64_t length, uint64_t *to)
{
	(void)address;
	(void)length;
	(void)to;
	return ENOSYS;
}

uint32_t os_trap_set(uint64_t page, void (*react)(void *), void *arg, os_trap **trap)
{
	(void)page;
	(void)react;
	(void)arg;
	(void)trap;
	return ENOSYS;
}

bool os_trap_clear(os_trap *trap)
{
	(void)trap;
	return false;
}

void os_trap_abandon(os_trap *trap)
{
	(void)trap;
}

static uint32_t trace(int request, uint32_t pid, void *at, int data)
{
	return posix_error(runtime_call(SYS_ptrace, (long)request, (long)pid, at, (long)data));
}

static uint32_t process_stop(uint32_t pid)
{
	uint32_t error = trace(PT_ATTACH, pid, NULL, 0);

	if (!error)
		waitpid((pid_t)pid, NULL, 0);
	return error;
}

static void process_go_on(uint32_t pid)
{
	trace(PT_DETACH, pid, (void *)1, 0);
}

uint32_t os_process_copy(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	struct ptrace_io_desc copy = {.piod_op = PIOD_WRITE_D,
				      .piod_offs = (void *)(uintptr_t)address,
				      .piod_addr = (void *)(uintptr_t)from,
				      .piod_len = length};
	uint32_t error = process_stop(pid);

	if (error)
		return error;
	error = trace(PT_IO, pid, &copy, 0);
	process_go_on(pid);
	return error || copy.piod_len == length ? error : EFAULT;
}

uint32_t os_process_debug(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	uint32_t error;
	int word = 0;

	if (length > sizeof(word))
		return EINVAL;
	memcpy(&word, from, length);
	error = process_stop(pid);
	if (error)
		return error;
	error = trace(PT_WRITE_D, pid, (void *)(uintptr_t)address, word);
	process_go_on(pid);
	return error;
}

uint32_t os_demote(uint32_t user, uint64_t lockable)
{
	struct rlimit limit = {.rlim_cur = (rlim_t)lockable, .rlim_max = (rlim_t)lockable};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == -1 || setgroups(0, NULL) == -1 ||
	    setresgid(user, user, user) == -1)
		return (uint32_t)errno;
	return posix_error(setresuid(user, user, user));
}

const char *posix_own_program(void)
{
	return runtime_program;
}

void posix_die_with(int parent)
{
	int number = SIGKILL;

	runtime_call(SYS_procctl, (long)P_PID, (int64_t)0, (long)PROC_PDEATHSIG_CTL, &number);
	if (getppid() != parent)
		_exit(1);
}

/* The argument block of the driver's interface on Unix. */
struct request_block {
	void *in;
	unsigned long in_length;
	void *out;
	unsigned long out_length;
};

_Static_assert(sizeof(struct request_block) == 4 * sizeof(void *), "block is four words");

uint64_t os_request_max_length(void)
{
	return (unsigned long)-1;
}

static void request_issue(struct os_request *r, unsigned long arg)
{
	long result = runtime_call(SYS_ioctl, (long)r->handle, (unsigned long)r->number, arg);

	r->error = result == -1 ? (uint32_t)errno : 0;
	r->result = (int32_t)result; /* an int, whatever the register has besides */
	r->returned = UINT32_MAX;
}

void os_request_normal(struct os_request *r)
{
	struct request_block *block =
	    (struct request_block *)(void *)(r->block_end - sizeof(*block));

	block->in = r->in;
	block->in_length = (unsigned long)r->in_length;
	block->out = r->out;
	block->out_length = (unsigned long)r->out_length;
	r->block = (uint8_t *)block;
	r->block_length = sizeof(*block);
	request_issue(r, (unsigned long)block);
}

void os_request_fast(struct os_request *r)
{
	request_issue(r, 0);
}

void os_request_raw(struct os_request *r)
{
	request_issue(r, (unsigned long)r->arg);
}
