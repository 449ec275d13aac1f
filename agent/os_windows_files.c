/* SPDX-License-Identifier: MIT */
/* Windows: files and devices. */
#include "os_windows.h"

#include <string.h>

#include "proto.h"

#define SHARE_ALL      (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)
#define MODE_DIRECTORY 0040000u
#define MODE_FILE      0100000u
#define MODE_READ      0444u
#define MODE_WRITE     0222u
#define MODE_SEARCH    0111u
#define NAME_UTF8_SIZE (4u * MAX_PATH)

static uint32_t file_open(const char *path, DWORD access, DWORD how, DWORD flags, HANDLE *file)
{
	wchar_t wide[WIN_PATH_SIZE];
	uint32_t error = win_path(path, wide);

	if (error)
		return error;
	*file = CreateFileW(wide, access, SHARE_ALL, NULL, how, FILE_FLAG_BACKUP_SEMANTICS | flags,
			    NULL);
	return win_error(*file != INVALID_HANDLE_VALUE);
}

const bool os_opens_for_children = false;
const bool os_overlaps = true;

/* On Windows the driver knows of an open when CreateFile returns. On Wine it may be about to learn
 * of it, and is not told of a close that comes meanwhile before some later request. Asking for the
 * type is one more request to a driver of Wine's, none to one of Windows'. */
static void wait_for_driver(HANDLE file)
{
	GetFileType(file);
}

uint32_t os_open(const char *path, uint32_t flags, os_handle *handle)
{
	DWORD access =
	    (flags & OPEN_READ ? GENERIC_READ : 0) | (flags & OPEN_WRITE ? GENERIC_WRITE : 0);
	HANDLE file;
	uint32_t error = file_open(path, access, OPEN_EXISTING,
				   flags & OPEN_OVERLAPPED ? FILE_FLAG_OVERLAPPED : 0, &file);

	if (!error)
		wait_for_driver(file);
	*handle = error ? OS_NO_HANDLE : (os_handle)file;
	return error;
}

void os_close(os_handle handle)
{
	CloseHandle((HANDLE)handle);
}

uint32_t os_dup(os_handle handle, os_handle *copy)
{
	HANDLE self = GetCurrentProcess(), made = INVALID_HANDLE_VALUE;
	uint32_t error = win_error(
	    DuplicateHandle(self, (HANDLE)handle, self, &made, 0, FALSE, DUPLICATE_SAME_ACCESS));

	*copy = (os_handle)made;
	return error;
}

/* At an offset, in the system's form. */
static OVERLAPPED file_place(uint64_t offset)
{
	return (OVERLAPPED){.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
}

uint32_t os_file_read(const char *path, uint64_t offset, void *to, uint32_t length, uint32_t *got)
{
	OVERLAPPED place = file_place(offset);
	DWORD n = 0;
	HANDLE file;
	uint32_t error = file_open(path, GENERIC_READ, OPEN_EXISTING, 0, &file);

	*got = 0;
	if (error)
		return error;
	/* Files and devices give at once what they have: fewer bytes are the last. */
	error = win_error(ReadFile(file, to, length, &n, &place));
	*got = n;
	CloseHandle(file);
	return *got || error == ERROR_HANDLE_EOF ? 0 : error;
}

static DWORD file_disposition(uint32_t flags)
{
	if (flags & FWRITE_CREATE)
		return flags & FWRITE_TRUNCATE ? CREATE_ALWAYS : OPEN_ALWAYS;
	return flags & FWRITE_TRUNCATE ? TRUNCATE_EXISTING : OPEN_EXISTING;
}

uint32_t os_file_write(const char *path, uint64_t offset, const void *from, uint32_t length,
		       uint32_t flags, uint32_t mode, uint32_t *written)
{
	bool append = flags & FWRITE_APPEND && !(flags & FWRITE_TRUNCATE);
	HANDLE file;
	uint32_t error;

	(void)mode; /* what is created has the rights of its directory */
	*written = 0;
	error = file_open(path, append ? FILE_APPEND_DATA | SYNCHRONIZE : GENERIC_WRITE,
			  file_disposition(flags), 0, &file);
	if (error)
		return error;
	while (!error && *written < length) {
		OVERLAPPED place = append ? file_place(UINT64_MAX) : file_place(offset + *written);
		DWORD n = 0;

		error = win_error(WriteFile(file, (const uint8_t *)from + *written,
					    length - *written, &n, &place));
		*written += n;
		if (n == 0)
			break;
	}
	CloseHandle(file);
	return error;
}

static bool is_own_name(const wchar_t *name)
{
	return wcscmp(name, L".") != 0 && wcscmp(name, L"..") != 0;
}

static bool tell_name(const wchar_t *wide, bool (*each)(void *to, const char *name), void *to)
{
	char name[NAME_UTF8_SIZE];

	if (!is_own_name(wide))
		return true;
	return WideCharToMultiByte(CP_UTF8, 0, wide, -1, name, sizeof(name), NULL, NULL) == 0 ||
	       each(to, name);
}

uint32_t os_file_list(const char *path, bool (*each)(void *to, const char *name), void *to)
{
	wchar_t pattern[WIN_PATH_SIZE];
	WIN32_FIND_DATAW entry;
	uint32_t error = win_path(path, pattern);
	size_t length = error ? 0 : wcslen(pattern);
	HANDLE search;
	BOOL more = TRUE;

	if (error || length + sizeof("\\*") > WIN_PATH_SIZE)
		return error ? error : ERROR_FILENAME_EXCED_RANGE;
	wcscpy(pattern + length, L"\\*");
	search = FindFirstFileW(pattern, &entry);
	if (search == INVALID_HANDLE_VALUE)
		return win_error(false);
	while (more && tell_name(entry.cFileName, each, to))
		more = FindNextFileW(search, &entry);
	error = more ? 0 : win_error(false);
	FindClose(search);
	return error == ERROR_NO_MORE_FILES ? 0 : error;
}

uint32_t os_file_stat(const char *path, struct os_file_facts *facts)
{
	wchar_t wide[WIN_PATH_SIZE];
	WIN32_FILE_ATTRIBUTE_DATA found;
	uint32_t error = win_path(path, wide);

	if (error)
		return error;
	if (!GetFileAttributesExW(wide, GetFileExInfoStandard, &found))
		return win_error(false);
	facts->mode = MODE_READ;
	facts->mode |= found.dwFileAttributes & FILE_ATTRIBUTE_READONLY ? 0 : MODE_WRITE;
	facts->mode |= found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY
			   ? MODE_DIRECTORY | MODE_SEARCH
			   : MODE_FILE;
	facts->size = (uint64_t)found.nFileSizeHigh << 32 | found.nFileSizeLow;
	return 0;
}
