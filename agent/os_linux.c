/* SPDX-License-Identifier: MIT */
/* What is Linux's own; the rest is in os_posix.c. */
#define _GNU_SOURCE
#include "os_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto.h"

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

static void copy_text(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = 0;
}

void os_query(struct os_facts *facts)
{
	struct utsname names;
	const char *machine = names.machine;

	memset(&names, 0, sizeof(names));
	uname(&names);
	if (strcmp(machine, "x86_64") == 0)
		machine = "amd64";
	else if (machine[0] == 'i' && strcmp(machine + 2, "86") == 0)
		machine = "x86";
	facts->os = "linux";
	facts->pid = (uint32_t)getpid();
	copy_text(facts->machine, sizeof(facts->machine), machine);
	copy_text(facts->release, sizeof(facts->release), names.release);
	copy_text(facts->version, sizeof(facts->version), names.version);
}

uint32_t posix_map_flags(uint32_t flags)
{
	uint32_t native = 0;

	if (flags & MEM_FIXED)
		native |= MAP_FIXED_NOREPLACE;
#ifdef MAP_32BIT
	if (flags & MEM_LOW)
		native |= MAP_32BIT;
#endif
	return native;
}

uint32_t os_move(uint64_t address, uint64_t length, uint64_t *to)
{
	void *old = (void *)(uintptr_t)address, *moved;
	void *room = mmap(NULL, (size_t)length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint32_t error;

	if (room == MAP_FAILED)
		return (uint32_t)errno;
	moved = mremap(old, (size_t)length, (size_t)length, MREMAP_MAYMOVE | MREMAP_FIXED, room);
	if (moved == MAP_FAILED) {
		error = (uint32_t)errno;
		munmap(room, (size_t)length);
		return error;
	}
	*to = (uintptr_t)moved;
	return 0;
}

uint32_t os_process_copy(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	struct iovec local = {(void *)(uintptr_t)from, length};
	struct iovec remote = {(void *)(uintptr_t)address, length};
	ssize_t n = process_vm_writev((pid_t)pid, &local, 1, &remote, 1, 0);

	if (n < 0)
		return (uint32_t)errno;
	return (size_t)n == length ? 0 : EFAULT;
}

uint32_t os_process_debug(uint32_t pid, uint64_t address, const void *from, size_t length)
{
	uint32_t error;
	long word = 0;

	if (length > sizeof(word))
		return EINVAL;
	memcpy(&word, from, length);
	if (ptrace(PTRACE_ATTACH, (pid_t)pid, NULL, NULL) == -1)
		return (uint32_t)errno;
	waitpid((pid_t)pid, NULL, __WALL);
	error = posix_error(
	    ptrace(PTRACE_POKEDATA, (pid_t)pid, (void *)(uintptr_t)address, (void *)word));
	ptrace(PTRACE_DETACH, (pid_t)pid, NULL, NULL);
	return error;
}

uint32_t os_demote(uint32_t user, uint64_t lockable)
{
	struct rlimit limit = {.rlim_cur = lockable, .rlim_max = lockable};

	if (setrlimit(RLIMIT_MEMLOCK, &limit) == -1 || setgroups(0, NULL) == -1 ||
	    setresgid(user, user, user) == -1)
		return (uint32_t)errno;
	return posix_error(setresuid(user, user, user));
}

const char *posix_own_program(void)
{
	return "/proc/self/exe";
}

/* Here all such things are files. */
bool posix_pseudo_file(const char *path)
{
	(void)path;
	return false;
}

uint32_t posix_pseudo_read(const char *path, uint64_t offset, void *to, uint32_t length,
			   uint32_t *got)
{
	(void)path;
	(void)offset;
	(void)to;
	(void)length;
	*got = 0;
	return ENOSYS;
}

uint32_t posix_pseudo_write(const char *path, const void *from, uint32_t length, uint32_t *written)
{
	(void)path;
	(void)from;
	(void)length;
	*written = 0;
	return ENOSYS;
}

void posix_die_with(int parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/* The driver. */

uint32_t os_driver_load(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint32_t error;

	if (fd < 0)
		return (uint32_t)errno;
	error = posix_error(syscall(SYS_finit_module, fd, params, 0));
	close(fd);
	return error;
}

uint32_t os_driver_unload(const char *name)
{
	return posix_error(syscall(SYS_delete_module, name, O_NONBLOCK));
}

/* An ELF note: name size, description size, type, name, description; NT_GNU_BUILD_ID is type 3 of
 * "GNU". */
static void build_id_parse(const uint8_t *note, uint32_t length, struct os_driver *driver)
{
	uint32_t head[3];

	if (length < 16)
		return;
	memcpy(head, note, sizeof(head));
	if (head[0] != 4 || head[2] != 3 || memcmp(note + 12, "GNU", 4) != 0)
		return;
	if (head[1] > length - 16 || head[1] > sizeof(driver->build_id))
		return;
	memcpy(driver->build_id, note + 16, head[1]);
	driver->build_id_length = head[1];
}

uint32_t os_driver_status(const char *name, struct os_driver *driver)
{
	char path[128], text[32];
	uint8_t note[128];
	uint32_t got = 0;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	driver->loaded = access(path, F_OK) == 0;
	if (!driver->loaded)
		return errno == ENOENT ? 0 : (uint32_t)errno;
	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	if (os_file_read(path, 0, text, sizeof(text) - 1, &got) == 0 && got > 0) {
		text[got] = 0;
		driver->references = (int32_t)strtol(text, NULL, 10);
	}
	got = 0;
	snprintf(path, sizeof(path), "/sys/module/%s/notes/.note.gnu.build-id", name);
	if (os_file_read(path, 0, note, sizeof(note), &got) == 0)
		build_id_parse(note, got, driver);
	return 0;
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

/* Not ioctl(): the number must reach the kernel as it is, and libc's parameter is an int. */
static void request_issue(struct os_request *r, unsigned long arg)
{
	long result = syscall(SYS_ioctl, (unsigned long)r->handle, (unsigned long)r->number, arg);

	r->error = result == -1 ? (uint32_t)errno : 0;
	r->result = result;
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
