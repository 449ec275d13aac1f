/* SPDX-License-Identifier: MIT */
/* System calls by the names that POSIX gives them. */
#include "runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define CALL(name, ...) runtime_call(SYS_##name, __VA_ARGS__)
#define WORD(value)	((long)(value))

/* FreeBSD 15 has another one besides. */
#define SETGROUPS	80

#define PAGE_BYTES	4096
#define DIRECTORY_BYTES 4096

extern char **environ;

int open(const char *path, int flags, ...)
{
	va_list more;
	int mode;

	va_start(more, flags);
	mode = flags & O_CREAT ? va_arg(more, int) : 0;
	va_end(more);
	return (int)CALL(open, path, WORD(flags), WORD(mode));
}

int close(int fd)
{
	return (int)CALL(close, WORD(fd));
}

ssize_t read(int fd, void *to, size_t length)
{
	return (ssize_t)CALL(read, WORD(fd), to, length);
}

ssize_t write(int fd, const void *from, size_t length)
{
	return (ssize_t)CALL(write, WORD(fd), from, length);
}

off_t lseek(int fd, off_t offset, int from)
{
	return runtime_call_wide(SYS_lseek, WORD(fd), offset, WORD(from));
}

int fcntl(int fd, int command, ...)
{
	va_list more;
	long argument;

	va_start(more, command);
	argument = va_arg(more, long);
	va_end(more);
	return (int)CALL(fcntl, WORD(fd), WORD(command), argument);
}

int dup2(int fd, int copy)
{
	return (int)CALL(dup2, WORD(fd), WORD(copy));
}

int ioctl(int fd, unsigned long number, ...)
{
	va_list more;
	void *argument;

	va_start(more, number);
	argument = va_arg(more, void *);
	va_end(more);
	return (int)CALL(ioctl, WORD(fd), number, argument);
}

int pipe2(int ends[2], int flags)
{
	return (int)CALL(pipe2, ends, WORD(flags));
}

int poll(struct pollfd *fds, nfds_t count, int timeout)
{
	return (int)CALL(poll, fds, WORD(count), WORD(timeout));
}

int stat(const char *path, struct stat *found)
{
	return (int)CALL(fstatat, WORD(AT_FDCWD), path, found, 0L);
}

/* Memory. */

void *mmap(void *hint, size_t length, int prot, int flags, int fd, off_t offset)
{
	return (void *)(intptr_t)CALL(mmap, hint, length, WORD(prot), WORD(flags), WORD(fd),
				      offset);
}

int munmap(void *at, size_t length)
{
	return (int)CALL(munmap, at, length);
}

int mprotect(void *at, size_t length, int prot)
{
	return (int)CALL(mprotect, at, length, WORD(prot));
}

long sysconf(int name)
{
	return name == _SC_PAGESIZE ? PAGE_BYTES : -1;
}

/* Time. */

int clock_gettime(clockid_t clock, struct timespec *now)
{
	return (int)CALL(clock_gettime, WORD(clock), now);
}

int clock_settime(clockid_t clock, const struct timespec *now)
{
	return (int)CALL(clock_settime, WORD(clock), now);
}

int nanosleep(const struct timespec *wanted, struct timespec *left)
{
	return (int)CALL(nanosleep, wanted, left);
}

/* Processes. */

pid_t getpid(void)
{
	return (pid_t)CALL(getpid, 0L);
}

pid_t getppid(void)
{
	return (pid_t)CALL(getppid, 0L);
}

pid_t setsid(void)
{
	return (pid_t)CALL(setsid, 0L);
}

pid_t fork(void)
{
	return (pid_t)CALL(fork, 0L);
}

int kill(pid_t pid, int number)
{
	return (int)CALL(kill, WORD(pid), WORD(number));
}

pid_t waitpid(pid_t pid, int *status, int options)
{
	return (pid_t)CALL(wait4, WORD(pid), status, WORD(options), NULL);
}

int execv(const char *program, char *const *arguments)
{
	return (int)CALL(execve, program, arguments, environ);
}

int execl(const char *program, const char *first, ...)
{
	char *arguments[8] = {(char *)(uintptr_t)first};
	size_t count = 1;
	va_list more;

	va_start(more, first);
	while (count < 7 && (arguments[count] = va_arg(more, char *)))
		count++;
	va_end(more);
	arguments[count] = NULL;
	return execv(program, arguments);
}

int getrlimit(int which, struct rlimit *limit)
{
	return (int)CALL(getrlimit, WORD(which), limit);
}

int setrlimit(int which, const struct rlimit *limit)
{
	return (int)CALL(setrlimit, WORD(which), limit);
}

int setgroups(int count, const gid_t *groups)
{
	return (int)runtime_call(SETGROUPS, WORD(count), groups);
}

int setresgid(gid_t real, gid_t effective, gid_t saved)
{
	return (int)CALL(setresgid, WORD(real), WORD(effective), WORD(saved));
}

int setresuid(uid_t real, uid_t effective, uid_t saved)
{
	return (int)CALL(setresuid, WORD(real), WORD(effective), WORD(saved));
}

/* Only to ignore one, so nothing ever returns from a handler. */
sig_t signal(int number, sig_t handler)
{
	struct sigaction action = {.sa_handler = handler};

	return CALL(sigaction, WORD(number), &action, NULL) < 0 ? SIG_ERR : SIG_DFL;
}

/* Sockets. */

int socket(int domain, int type, int protocol)
{
	return (int)CALL(socket, WORD(domain), WORD(type), WORD(protocol));
}

int socketpair(int domain, int type, int protocol, int ends[2])
{
	return (int)CALL(socketpair, WORD(domain), WORD(type), WORD(protocol), ends);
}

int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return (int)CALL(bind, WORD(fd), address, WORD(length));
}

int listen(int fd, int backlog)
{
	return (int)CALL(listen, WORD(fd), WORD(backlog));
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	return (int)CALL(accept4, WORD(fd), address, length, WORD(flags));
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	return (int)CALL(setsockopt, WORD(fd), WORD(level), WORD(name), value, WORD(length));
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return (ssize_t)CALL(sendmsg, WORD(fd), message, WORD(flags));
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	return (ssize_t)CALL(recvmsg, WORD(fd), message, WORD(flags));
}

/* Lines. */

int tcgetattr(int fd, struct termios *line)
{
	return ioctl(fd, TIOCGETA, line);
}

int tcsetattr(int fd, int when, const struct termios *line)
{
	return ioctl(fd, when == TCSANOW ? TIOCSETA : TIOCSETAW, line);
}

void cfmakeraw(struct termios *line)
{
	line->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL |
				     IXON | IXOFF | IXANY | IMAXBEL);
	line->c_oflag &= ~(tcflag_t)OPOST;
	line->c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ICANON | ISIG | IEXTEN);
	line->c_cflag = (line->c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8 | CREAD;
	line->c_cc[VMIN] = 1;
	line->c_cc[VTIME] = 0;
}

/* Directories. */

struct _dirdesc {
	int fd;
	size_t length;
	size_t at;
	_Alignas(struct dirent) char bytes[DIRECTORY_BYTES];
};

DIR *opendir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = fd < 0 ? NULL : calloc(1, sizeof(*directory));

	if (directory)
		directory->fd = fd;
	else if (fd >= 0)
		close(fd);
	return directory;
}

struct dirent *readdir(DIR *directory)
{
	struct dirent *entry;

	if (directory->at >= directory->length) {
		long got = CALL(getdirentries, WORD(directory->fd), directory->bytes,
				sizeof(directory->bytes), NULL);

		if (got <= 0)
			return NULL;
		directory->length = (size_t)got;
		directory->at = 0;
	}
	entry = (struct dirent *)(void *)(directory->bytes + directory->at);
	directory->at += entry->d_reclen;
	return entry;
}

int closedir(DIR *directory)
{
	int result = close(directory->fd);

	free(directory);
	return result;
}
