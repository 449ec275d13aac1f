/* SPDX-License-Identifier: MIT */
/* The agent as the first process of a guest that has nothing else. */
#include "freebsd/runtime.h"
#include "os_freebsd.h"
#include "os_posix.h"

#include <errno.h>
#include <fcntl.h>
#include <kenv.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/in_var.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the user-mode network of the emulator gives its only guest. */
#define CARD	   "vtnet0"
#define ADDRESS	   0x0A00020Fu /* 10.0.2.15 */
#define MASK	   0xFFFFFF00u

#define AGENTS_MAX 4u
#define TEXT_BYTES 128u /* what a variable can have */

static void console_say(const char *text)
{
	char line[160];
	int console = open("/dev/console", O_WRONLY | O_NOCTTY);

	snprintf(line, sizeof(line), "supdrv-guest: %s\n", text);
	if (console < 0)
		return;
	if (write(console, line, strlen(line)) < 0)
		_exit(1);
	close(console);
}

static struct iovec text_part(const char *text)
{
	return (struct iovec){(void *)(uintptr_t)text, strlen(text) + 1};
}

static void file_system_mount(const char *type, const char *where)
{
	struct iovec parts[] = {text_part("fstype"), text_part(type), text_part("fspath"),
				text_part(where)};

	if (runtime_call(SYS_nmount, parts, (long)(sizeof(parts) / sizeof(parts[0])), 0L) < 0)
		console_say("a file system cannot be mounted");
}

static struct sockaddr_in internet(uint32_t address)
{
	struct sockaddr_in made = {.sin_len = sizeof(made), .sin_family = AF_INET};

	made.sin_addr.s_addr = __builtin_bswap32(address);
	return made;
}

static void card_start(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct in_aliasreq request = {.ifra_name = CARD};

	request.ifra_addr = internet(ADDRESS);
	request.ifra_mask = internet(MASK);
	request.ifra_broadaddr = internet(ADDRESS | ~MASK);
	if (fd < 0 || ioctl(fd, SIOCAIFADDR, &request) < 0)
		console_say("there is no network card " CARD);
	if (fd >= 0)
		close(fd);
}

/* Whoever calls at the port from now on is answered as soon as the agent runs. */
static pid_t agent_start(char *program, char *port)
{
	char open_port[TEXT_BYTES];
	char *arguments[] = {program, "--port", open_port, NULL};
	os_handle listener;
	pid_t pid;

	if (posix_listen(port, &listener))
		console_say("a port cannot be opened");
	pid = fork();
	if (pid != 0) {
		close((int)listener);
		return pid;
	}
	setsid();
	fcntl((int)listener, F_SETFD, 0);
	snprintf(open_port, sizeof(open_port), "%s:%d", port, (int)listener);
	execv(program, arguments);
	_exit(127);
}

/* The end of an agent is the end of what its tests can learn: it is told, and not hidden by a new
 * one. */
static _Noreturn void agents_watch(char **ports, const pid_t *agents, unsigned count)
{
	char text[96];
	int status;

	for (;;) {
		pid_t ended = waitpid(-1, &status, 0);

		if (ended < 0 && errno == ECHILD)
			os_sleep_ms(1000);
		for (unsigned i = 0; i < count; i++) {
			if (ended != agents[i])
				continue;
			snprintf(text, sizeof(text), "agent ended: %s, status %d", ports[i],
				 WIFSIGNALED(status) ? 128 + WTERMSIG(status)
						     : WEXITSTATUS(status));
			console_say(text);
		}
	}
}

/* A variable of the kernel's environment; empty if it is not there. */
static void variable_read(const char *name, char *to, size_t size)
{
	if (runtime_call(SYS_kenv, (long)KENV_GET, name, to, (long)size) < 0)
		to[0] = 0;
}

/* Splits a list at its spaces; ends with NULL. */
static void list_split(char *list, char **items, unsigned most)
{
	unsigned count = 0;

	while (*list && count < most) {
		char *space = strchr(list, ' ');

		items[count++] = list;
		if (!space)
			break;
		*space = 0;
		list = space + 1;
	}
	items[count] = NULL;
}

_Noreturn void freebsd_init(void)
{
	char program[TEXT_BYTES], list[TEXT_BYTES], *ports[AGENTS_MAX + 1];
	pid_t agents[AGENTS_MAX];
	unsigned count = 0;

	setsid();
	open("/dev/null", O_RDWR);
	dup2(0, 1);
	dup2(0, 2);
	file_system_mount("tmpfs", "/tmp");
	card_start();
	variable_read("supdrv.program", program, sizeof(program));
	variable_read("supdrv.ports", list, sizeof(list));
	list_split(list, ports, AGENTS_MAX);
	while (ports[count]) {
		agents[count] = agent_start(program, ports[count]);
		count++;
	}
	console_say("ready");
	agents_watch(ports, agents, count);
}
