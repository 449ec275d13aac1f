/* SPDX-License-Identifier: MIT */
/* POSIX systems: time, memory, processes, threads. */
#define _GNU_SOURCE
#include "os_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto.h"

const uint32_t os_enosys = ENOSYS;
const bool os_process_is_dear = false;

uint32_t posix_error(long result)
{
	return result == -1 ? (uint32_t)errno : 0;
}

void os_start(void)
{
	struct rlimit files;

	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

uint32_t os_page_size(void)
{
	return (uint32_t)sysconf(_SC_PAGESIZE);
}

uint64_t os_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t os_time_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint32_t os_set_time_ns(uint64_t ns)
{
	struct timespec wanted = {.tv_sec = (time_t)(ns / 1000000000u),
				  .tv_nsec = (long)(ns % 1000000000u)};

	return posix_error(clock_settime(CLOCK_REALTIME, &wanted));
}

void os_sleep_ms(uint32_t ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		;
}

void os_sleep_us(uint32_t us)
{
	struct timespec left = {.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000};

	while (nanosleep(&left, &left) == -1 && errno == EINTR)
		;
}

/* Memory. */

static int posix_prot(uint32_t prot)
{
	return (prot & MEM_READABLE ? PROT_READ : 0) | (prot & MEM_WRITABLE ? PROT_WRITE : 0) |
	       (prot & MEM_EXECUTABLE ? PROT_EXEC : 0);
}

static uint32_t posix_mapped(void *at, uint64_t *address)
{
	if (at == MAP_FAILED)
		return (uint32_t)errno;
	*address = (uintptr_t)at;
	return 0;
}

uint32_t os_map(uint64_t hint, uint64_t length, uint32_t prot, uint32_t flags, uint64_t *address)
{
	int how = MAP_ANONYMOUS | (flags & MEM_SHARED ? MAP_SHARED : MAP_PRIVATE) |
		  (int)posix_map_flags(flags);

	return posix_mapped(
	    mmap((void *)(uintptr_t)hint, (size_t)length, posix_prot(prot), how, -1, 0), address);
}

uint32_t os_map_handle(os_handle handle, uint64_t length, uint32_t prot, bool copy, uint64_t offset,
		       uint64_t *address)
{
	int how = copy ? MAP_PRIVATE : MAP_SHARED;

	return posix_mapped(
	    mmap(NULL, (size_t)length, posix_prot(prot), how, (int)handle, (off_t)offset), address);
}

uint32_t os_unmap(uint64_t address, uint64_t length)
{
	return posix_error(munmap((void *)(uintptr_t)address, (size_t)length));
}

uint32_t os_protect(uint64_t address, uint64_t length, uint32_t prot)
{
	return posix_error(mprotect((void *)(uintptr_t)address, (size_t)length, posix_prot(prot)));
}

/*
 * The kernel copies through a pipe, so a bad address is EFAULT. process_vm_readv() would not do: it
 * refuses memory that a driver has mapped without struct pages.
 */
static int memory_pipe[2] = {-1, -1};
#define MEMORY_CHUNK 16384u

static uint32_t memory_pipe_open(void)
{
	return memory_pipe[0] >= 0 ? 0 : posix_error(pipe2(memory_pipe, O_CLOEXEC | O_NONBLOCK));
}

void posix_memory_forget(void)
{
	if (memory_pipe[0] >= 0) {
		close(memory_pipe[0]);
		close(memory_pipe[1]);
	}
	memory_pipe[0] = memory_pipe[1] = -1;
}

/* Copies through the pipe; on an error what is left in it is dropped with it. */
static uint32_t memory_copy(const uint8_t *from, uint8_t *to, size_t length)
{
	uint32_t error = memory_pipe_open();

	while (!error && length > 0) {
		size_t want = length < MEMORY_CHUNK ? length : MEMORY_CHUNK;
		ssize_t put = write(memory_pipe[1], from, want), got;

		if (put <= 0) {
			error = put ? (uint32_t)errno : EIO;
			break;
		}
		got = read(memory_pipe[0], to, (size_t)put);
		if (got != put) {
			error = got < 0 ? (uint32_t)errno : EFAULT;
			break;
		}
		from += put;
		to += put;
		length -= (size_t)put;
	}
	if (error)
		posix_memory_forget();
	return error;
}

uint32_t os_peek(uint64_t address, void *to, size_t length)
{
	return memory_copy((const uint8_t *)(uintptr_t)address, to, length);
}

uint32_t os_poke(uint64_t address, const void *from, size_t length)
{
	return memory_copy(from, (uint8_t *)(uintptr_t)address, length);
}

/* Threads. */

struct os_thread {
	pthread_t thread;
	void (*run)(void *);
	void *arg;
};

static void *thread_main(void *arg)
{
	os_thread *t = arg;

	t->run(t->arg);
	return NULL;
}

uint32_t os_thread_start(void (*run)(void *), void *arg, os_thread **thread)
{
	os_thread *t = malloc(sizeof(*t));
	int error;

	if (!t)
		return ENOMEM;
	t->run = run;
	t->arg = arg;
	error = pthread_create(&t->thread, NULL, thread_main, t);
	if (error) {
		free(t);
		return (uint32_t)error;
	}
	*thread = t;
	return 0;
}

void os_thread_join(os_thread *thread)
{
	pthread_join(thread->thread, NULL);
	free(thread);
}

/* OS/2 has packets. */
void os_request_packets(struct os_packets *p)
{
	p->error = os_enosys;
}
