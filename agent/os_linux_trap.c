/* SPDX-License-Identifier: MIT */
/* Traps: a page is taken away, and a thread answers for it when it is missed (userfaultfd). */
#define _GNU_SOURCE
#include "os_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct os_trap {
	int faults;
	int stop;
	uint64_t page;
	uint32_t size;
	uint8_t *contents;
	void (*react)(void *);
	void *arg;
	os_thread *thread;
	bool sprung;
};

static void trap_watch(void *arg)
{
	os_trap *t = arg;
	struct pollfd fds[2] = {{.fd = t->faults, .events = POLLIN},
				{.fd = t->stop, .events = POLLIN}};
	struct uffd_msg message;
	struct uffdio_copy copy = {
	    .dst = t->page, .src = (uintptr_t)t->contents, .len = t->size, .mode = 0};

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	if (read(t->faults, &message, sizeof(message)) != (ssize_t)sizeof(message))
		return;
	t->react(t->arg);
	t->sprung = ioctl(t->faults, UFFDIO_COPY, &copy) == 0;
}

static void trap_free(os_trap *t)
{
	if (t->faults >= 0)
		close(t->faults);
	if (t->stop >= 0)
		close(t->stop);
	free(t->contents);
	free(t);
}

static uint32_t trap_open(os_trap *t)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register range = {.range = {t->page, t->size},
					.mode = UFFDIO_REGISTER_MODE_MISSING};

	if (!t->contents)
		return ENOMEM;
	t->faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (t->faults < 0)
		return (uint32_t)errno;
	t->stop = eventfd(0, EFD_CLOEXEC);
	if (t->stop < 0 || ioctl(t->faults, UFFDIO_API, &api) < 0 ||
	    ioctl(t->faults, UFFDIO_REGISTER, &range) < 0)
		return (uint32_t)errno;
	return os_peek(t->page, t->contents, t->size);
}

uint32_t os_trap_set(uint64_t page, void (*react)(void *), void *arg, os_trap **trap)
{
	os_trap *t = calloc(1, sizeof(*t));
	uint32_t error;

	if (!t)
		return ENOMEM;
	*t = (os_trap){.faults = -1,
		       .stop = -1,
		       .page = page,
		       .size = os_page_size(),
		       .contents = malloc(os_page_size()),
		       .react = react,
		       .arg = arg};
	error = trap_open(t);
	if (!error)
		error = os_thread_start(trap_watch, t, &t->thread);
	if (error) {
		trap_free(t);
		return error;
	}
	*trap = t;
	return posix_error(madvise((void *)(uintptr_t)page, t->size, MADV_DONTNEED));
}

bool os_trap_clear(os_trap *t)
{
	const uint64_t one = 1;
	bool sprung;

	if (write(t->stop, &one, sizeof(one)) != (ssize_t)sizeof(one))
		abort();
	os_thread_join(t->thread);
	sprung = t->sprung;
	close(t->faults);
	t->faults = -1;
	if (!sprung)
		os_poke(t->page, t->contents, t->size);
	trap_free(t);
	return sprung;
}

void os_trap_abandon(os_trap *t)
{
	trap_free(t);
}
