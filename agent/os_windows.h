/* SPDX-License-Identifier: MIT */
/* Between the files of the agent for Windows 10 and newer. */
#ifndef AGENT_OS_WINDOWS_H
#define AGENT_OS_WINDOWS_H

#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0a00
#include <windows.h>

#include "os.h"

/* GetLastError() after a call that failed, never 0; 0 after one that did not. */
uint32_t win_error(BOOL succeeded);
/* The code for an NTSTATUS, 0 for success. */
uint32_t win_status_error(LONG status);

#define WIN_PATH_SIZE 4096u
/* UTF-8 to a path as the system takes it. */
uint32_t win_path(const char *path, wchar_t wide[WIN_PATH_SIZE]);

/* Once: a copy that meets a bad address ends with an error. */
void win_start_copying(void);

/* The ends of two pipes, or of one thing that reads and writes at the same time. It owns them, even
 * if there is no memory for it (NULL). */
struct channel;
struct channel *channel_blocking(HANDLE in, HANDLE out);
struct os_stream channel_stream(struct channel *c);

#endif
