/* SPDX-License-Identifier: MIT */
/* POSIX systems: the host's stream, client processes and the sockets to them. */
#define _GNU_SOURCE
#include "os_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "proto.h"

#define PORT_WAIT_MS  60000u
#define PORT_RETRY_MS 10u
#define STREAMS_MAX   256u
#define NETWORK_PORT  "tcp:"
#define NETWORK_ROOM  65536 /* what a window without scaling can tell of */

uint32_t os_stream_standard(struct os_stream *s)
{
	int in = fcntl(0, F_DUPFD_CLOEXEC, 3), out = fcntl(1, F_DUPFD_CLOEXEC, 3);
	int none = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (in < 0 || out < 0)
		return (uint32_t)errno;
	if (none >= 0) {
		dup2(none, 0);
		dup2(none, 1);
		if (none > 2)
			close(none);
	}
	*s = (struct os_stream){.in = in, .out = out, .received = OS_NO_HANDLE};
	return 0;
}

static uint32_t line_open(struct os_stream *s)
{
	int fd =
	    open(s->port, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK); /* no wait for a carrier */
	struct termios line;

	if (fd < 0)
		return (uint32_t)errno;
	fcntl(fd, F_SETFL, O_RDWR);
	s->is_line = tcgetattr(fd, &line) == 0;
	if (s->is_line) {
		cfmakeraw(&line);
		line.c_cflag |= CLOCAL | CREAD;
		tcsetattr(fd, TCSANOW, &line);
	}
	s->in = s->out = fd;
	return 0;
}

/*
 * A TCP port of the guest, where the emulator forwards to it: "tcp:NUMBER". Whoever connects last
 * is the peer, since of one that was before a restore nothing is heard any more.
 */
uint32_t posix_listen(const char *port, os_handle *listener)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	const int on = 1;
	char *rest;
	int fd;

	address.sin_port = htons((uint16_t)strtoul(port + strlen(NETWORK_PORT), &rest, 10));
	if (*rest == ':') {
		*listener = atoi(rest + 1);
		return posix_error(fcntl((int)*listener, F_SETFD, FD_CLOEXEC));
	}
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return (uint32_t)errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 1) < 0) {
		uint32_t error = (uint32_t)errno;

		close(fd);
		return error;
	}
	*listener = fd;
	return 0;
}

/* FreeBSD lets its receive buffer grow, and between 256 and 512 KiB it does not tell a peer that
 * knows no window scaling, QEMU's, that there is room again: each time the peer then waits for five
 * seconds. A buffer whose size is set does not grow. */
static void network_tune(int fd)
{
	const int on = 1, room = NETWORK_ROOM;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

static uint32_t network_accept(struct os_stream *s)
{
	uint32_t error;
	int fd;

	error = s->listener == OS_NO_HANDLE ? posix_listen(s->port, &s->listener) : 0;
	if (error)
		return error;
	fd = accept4((int)s->listener, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		return errno == EAGAIN ? 0 : (uint32_t)errno;
	network_tune(fd);
	os_stream_close(s);
	s->in = s->out = fd;
	return 0;
}

static bool is_network(const struct os_stream *s)
{
	return s->port && strncmp(s->port, NETWORK_PORT, strlen(NETWORK_PORT)) == 0;
}

static uint32_t port_open(struct os_stream *s)
{
	if (is_network(s))
		return network_accept(s);
	return line_open(s);
}

uint32_t os_stream_port(struct os_stream *s, const char *path)
{
	uint32_t error = 0;

	*s = (struct os_stream){.port = path,
				.in = OS_NO_HANDLE,
				.out = OS_NO_HANDLE,
				.received = OS_NO_HANDLE,
				.listener = OS_NO_HANDLE};
	for (uint32_t waited = 0; waited < PORT_WAIT_MS; waited += PORT_RETRY_MS) {
		error = port_open(s);
		if (!error)
			break;
		os_sleep_ms(PORT_RETRY_MS);
	}
	return error;
}

uint32_t os_stream_client(struct os_stream *s, const char *number)
{
	int fd = atoi(number);

	*s = (struct os_stream){.in = fd, .out = fd, .is_socket = true, .received = OS_NO_HANDLE};
	return posix_error(fcntl(fd, F_SETFD, FD_CLOEXEC));
}

void os_stream_close(struct os_stream *s)
{
	if (s->in != OS_NO_HANDLE)
		close((int)s->in);
	if (s->out != s->in && s->out != OS_NO_HANDLE)
		close((int)s->out);
	s->in = s->out = OS_NO_HANDLE;
}

static int listener_of(const struct os_stream *s)
{
	return is_network(s) ? (int)s->listener : -1;
}

void os_wait(struct os_stream **streams, unsigned count, int timeout_ms)
{
	static struct pollfd fds[2 * STREAMS_MAX]; /* the second half: where peers of ports call */

	for (unsigned i = 0; i < count; i++) {
		struct os_stream *s = streams[i];

		fds[i].fd = s->away ? -1 : (int)s->in;
		fds[i].events = (short)(POLLIN | (s->want_write ? POLLOUT : 0));
		fds[i].revents = 0;
		fds[count + i] = (struct pollfd){.fd = listener_of(s), .events = POLLIN};
		if (s->away && (timeout_ms < 0 || timeout_ms > (int)PORT_RETRY_MS))
			timeout_ms = (int)PORT_RETRY_MS;
	}
	if (poll(fds, 2 * count, timeout_ms) < 0) {
		for (unsigned i = 0; i < 2 * count; i++)
			fds[i].revents = 0;
	}
	for (unsigned i = 0; i < count; i++) {
		streams[i]->called = fds[count + i].revents & POLLIN;
		streams[i]->readable =
		    streams[i]->away || streams[i]->called || (fds[i].revents & ~POLLOUT);
		streams[i]->writable = fds[i].revents & POLLOUT;
	}
}

/* Keeps the newest handle that came along. */
static ssize_t socket_receive(struct os_stream *s, void *to, size_t room)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec data = {.iov_base = to, .iov_len = room};
	struct msghdr message = {
	    .msg_iov = &data,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = sizeof(control.bytes),
	};
	ssize_t n = recvmsg((int)s->in, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
		int fd;

		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		if (s->received != OS_NO_HANDLE)
			close((int)s->received);
		s->received = fd;
	}
	return n;
}

/* The other side of a port is away, or the line was hung up and has to be opened again. */
static enum os_read port_gap(struct os_stream *s, bool hung_up)
{
	if (is_network(s)) {
		os_stream_close(s);
		return OS_READ_GAP;
	}
	s->away = true;
	if (hung_up) {
		os_stream_close(s);
		port_open(s);
	}
	return OS_READ_GAP;
}

enum os_read os_stream_read(struct os_stream *s, void *to, size_t room, size_t *got)
{
	ssize_t n;

	s->away = false;
	if (s->called) {
		network_accept(s);
		return OS_READ_GAP;
	}
	if (s->in == OS_NO_HANDLE)
		return port_gap(s, true);
	n = s->is_socket ? socket_receive(s, to, room) : read((int)s->in, to, room);
	if (n > 0) {
		*got = (size_t)n;
		return OS_READ_DATA;
	}
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return OS_READ_NONE;
	return s->port ? port_gap(s, n < 0 || s->is_line) : OS_READ_END;
}

uint32_t os_stream_write(struct os_stream *s, const void *from, size_t n)
{
	const uint8_t *at = from;

	while (n > 0) {
		ssize_t sent = write((int)s->out, at, n);

		if (sent > 0) {
			at += sent;
			n -= (size_t)sent;
		} else if (sent < 0 && errno == EAGAIN) {
			struct pollfd fd = {.fd = (int)s->out, .events = POLLOUT};

			poll(&fd, 1, -1);
		} else if (sent == 0 || errno != EINTR) {
			return sent ? (uint32_t)errno : EIO;
		}
	}
	return 0;
}

uint32_t os_stream_offer(struct os_stream *s, const void *from, size_t n, os_handle pass,
			 size_t *sent)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec data = {.iov_base = (void *)(uintptr_t)from, .iov_len = n};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	ssize_t result;

	if (pass != OS_NO_HANDLE) {
		struct cmsghdr *c;
		int fd = (int)pass;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	*sent = 0;
	result = sendmsg((int)s->out, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (result >= 0) {
		*sent = (size_t)result;
		return 0;
	}
	return errno == EAGAIN || errno == EINTR ? 0 : (uint32_t)errno;
}

/* Processes. */

/* In the child; never returns. The number of the socket is what the program is told. */
static void child_exec(const char *program, int socket_fd, int report_fd)
{
	char number[16];
	int error;

	fcntl(socket_fd, F_SETFD, 0);
	snprintf(number, sizeof(number), "%d", socket_fd);
	execl(program, program, "--client", number, (char *)NULL);
	error = errno;
	if (write(report_fd, &error, sizeof(error)) < 0)
		_exit(126);
	_exit(127);
}

/* Forks; with a program, waits until it runs or until the exec has failed. */
static uint32_t process_fork(const char *program, int ends[2], struct os_process *p, bool *in_child)
{
	int report[2] = {-1, -1}, parent = (int)getpid(), error = 0;
	pid_t pid;

	if (program[0] && pipe2(report, O_CLOEXEC) < 0)
		return (uint32_t)errno;
	pid = fork();
	if (pid == 0) {
		posix_die_with(parent);
		if (program[0])
			child_exec(program, ends[1], report[1]);
		posix_memory_forget();
		*in_child = true;
		return 0;
	}
	if (pid < 0)
		error = errno;
	p->pid = (uint32_t)pid;
	if (program[0]) {
		close(report[1]);
		if (pid > 0 && read(report[0], &error, sizeof(error)) == (ssize_t)sizeof(error))
			waitpid(pid, NULL, 0);
		close(report[0]);
	}
	return (uint32_t)error;
}

uint32_t os_process_start(const char *program, bool inherit, struct os_process *p, bool *in_child)
{
	int ends[2], own;
	uint32_t error;

	(void)inherit; /* a fork has everything; the caller closes what is not wanted */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return (uint32_t)errno;
	error = process_fork(program, ends, p, in_child);
	own = *in_child ? 1 : 0;
	close(ends[!own]);
	if (error) {
		close(ends[own]);
		return error;
	}
	p->stream = (struct os_stream){
	    .in = ends[own], .out = ends[own], .is_socket = true, .received = OS_NO_HANDLE};
	return 0;
}

static void handles_inherit(const os_handle *handles, uint32_t count, int flags)
{
	for (uint32_t i = 0; i < count; i++)
		fcntl((int)handles[i], F_SETFD, flags);
}

uint32_t os_exec(const char *program, const os_handle *kept, uint32_t count, char **arguments)
{
	uint32_t error;

	handles_inherit(kept, count, 0);
	error = posix_error(execv(program[0] ? program : posix_own_program(), arguments));
	handles_inherit(kept, count, FD_CLOEXEC);
	return error;
}

uint32_t os_handle_resume(os_handle handle)
{
	return posix_error(fcntl((int)handle, F_SETFD, FD_CLOEXEC));
}

void os_process_kill(const struct os_process *p)
{
	kill((pid_t)p->pid, SIGKILL);
}

static bool process_wait(const struct os_process *p, int options, struct os_exit *how)
{
	int status = 0;
	pid_t pid = waitpid((pid_t)p->pid, &status, options);

	if (pid == 0)
		return false;
	if (pid > 0 && WIFSIGNALED(status))
		*how = (struct os_exit){EXIT_SIGNAL, (uint32_t)WTERMSIG(status)};
	else
		*how = (struct os_exit){EXIT_CODE, (uint32_t)WEXITSTATUS(status)};
	return true;
}

bool os_process_ended(const struct os_process *p, struct os_exit *how)
{
	return process_wait(p, WNOHANG, how);
}

void os_process_await(const struct os_process *p, struct os_exit *how)
{
	process_wait(p, 0, how);
}

uint32_t os_handle_export(const struct os_process *p, os_handle handle, uint64_t *token)
{
	(void)p;
	(void)handle; /* it travels with the bytes */
	*token = 0;
	return 0;
}

os_handle os_handle_import(struct os_stream *s, uint64_t token)
{
	os_handle handle = s->received;

	(void)token;
	s->received = OS_NO_HANDLE;
	return handle;
}

/* No process can be asked for what it has open. */
uint32_t os_handle_take(const struct os_process *p, uint64_t value, os_handle *handle)
{
	(void)p;
	(void)value;
	(void)handle;
	return os_enosys;
}
