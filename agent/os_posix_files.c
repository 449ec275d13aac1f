/* SPDX-License-Identifier: MIT */
/* POSIX systems: files. */
#define _GNU_SOURCE
#include "os_posix.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto.h"

const bool os_opens_for_children = false;
const bool os_overlaps = false;

uint32_t os_open(const char *path, uint32_t flags, os_handle *handle)
{
	static const int modes[] = {O_RDWR, O_RDONLY, O_WRONLY, O_RDWR};
	int fd = open(path, modes[flags & 3] | O_CLOEXEC);

	*handle = fd;
	return posix_error(fd);
}

void os_close(os_handle handle)
{
	close((int)handle);
}

uint32_t os_dup(os_handle handle, os_handle *copy)
{
	int fd = fcntl((int)handle, F_DUPFD_CLOEXEC, 0);

	*copy = fd;
	return posix_error(fd);
}

uint32_t os_file_read(const char *path, uint64_t offset, void *to, uint32_t length, uint32_t *got)
{
	uint32_t error = 0;
	int fd;

	if (posix_pseudo_file(path))
		return posix_pseudo_read(path, offset, to, length, got);
	*got = 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return (uint32_t)errno;
	if (offset > INT64_MAX)
		error = EINVAL;
	else if (offset)
		error = posix_error(lseek(fd, (off_t)offset, SEEK_SET) < 0 ? -1 : 0);
	while (!error && *got < length) {
		ssize_t n = read(fd, (uint8_t *)to + *got, length - *got);

		if (n == 0)
			break;
		if (n > 0)
			*got += (uint32_t)n;
		else if (errno != EINTR)
			error = (uint32_t)errno;
	}
	close(fd);
	return *got ? 0 : error;
}

uint32_t os_file_write(const char *path, uint64_t offset, const void *from, uint32_t length,
		       uint32_t flags, uint32_t mode, uint32_t *written)
{
	int how = O_WRONLY | O_CLOEXEC | O_NONBLOCK;
	uint32_t error = 0;
	int fd;

	if (posix_pseudo_file(path))
		return posix_pseudo_write(path, from, length, written);
	*written = 0;
	how |= flags & FWRITE_CREATE ? O_CREAT : 0;
	how |= flags & FWRITE_TRUNCATE ? O_TRUNC : 0;
	how |= flags & FWRITE_APPEND ? O_APPEND : 0;
	fd = open(path, how, (mode_t)mode);
	if (fd < 0)
		return (uint32_t)errno;
	if (offset > INT64_MAX)
		error = EINVAL;
	else if (offset)
		error = posix_error(lseek(fd, (off_t)offset, SEEK_SET) < 0 ? -1 : 0);
	do {
		ssize_t n =
		    error ? 0 : write(fd, (const uint8_t *)from + *written, length - *written);

		if (n > 0)
			*written += (uint32_t)n;
		else if (n == 0)
			break;
		else if (errno != EINTR)
			error = (uint32_t)errno;
	} while (!error && *written < length);
	close(fd);
	return error;
}

static bool is_own_name(const char *name)
{
	return strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

uint32_t os_file_list(const char *path, bool (*each)(void *to, const char *name), void *to)
{
	struct dirent *entry;
	DIR *directory = opendir(path);

	if (!directory)
		return (uint32_t)errno;
	while ((entry = readdir(directory)))
		if (is_own_name(entry->d_name) && !each(to, entry->d_name))
			break;
	closedir(directory);
	return 0;
}

uint32_t os_file_stat(const char *path, struct os_file_facts *facts)
{
	struct stat found;

	if (stat(path, &found) == -1)
		return (uint32_t)errno;
	facts->mode = found.st_mode;
	facts->user = found.st_uid;
	facts->group = found.st_gid;
	facts->size = (uint64_t)found.st_size;
	return 0;
}
