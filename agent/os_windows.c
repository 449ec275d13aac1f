/* SPDX-License-Identifier: MIT */
/* Windows: the process itself, time and threads. */
#include "os_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <winternl.h>

#define UNIX_EPOCH  UINT64_C(116444736000000000) /* in the system's 100 ns since 1601 */
#define NS_PER_TICK 100u
#define SECOND_NS   UINT64_C(1000000000)
#define CLOCK_RIGHT L"SeSystemtimePrivilege"

const uint32_t os_enosys = ERROR_CALL_NOT_IMPLEMENTED;

static uint64_t clock_rate;

NTSYSAPI NTSTATUS NTAPI NtSetSystemTime(LARGE_INTEGER *to, LARGE_INTEGER *before);
NTSYSAPI NTSTATUS NTAPI RtlGetVersion(OSVERSIONINFOW *version);

uint32_t win_error(BOOL succeeded)
{
	DWORD error = succeeded ? 0 : GetLastError();

	return succeeded || error ? error : ERROR_GEN_FAILURE;
}

uint32_t win_status_error(LONG status)
{
	return status >= 0 ? 0 : RtlNtStatusToDosError(status);
}

uint32_t win_path(const char *path, wchar_t wide[WIN_PATH_SIZE])
{
	return win_error(
	    MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, path, -1, wide, WIN_PATH_SIZE) != 0);
}

/* No window, no debugger and no report: the exit code tells the exception. */
static LONG WINAPI exception_ends(EXCEPTION_POINTERS *e)
{
	TerminateProcess(GetCurrentProcess(), e->ExceptionRecord->ExceptionCode);
	return EXCEPTION_EXECUTE_HANDLER;
}

void os_start(void)
{
	LARGE_INTEGER rate;

	QueryPerformanceFrequency(&rate);
	clock_rate = (uint64_t)rate.QuadPart;
	SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
	SetUnhandledExceptionFilter(exception_ends);
	win_start_copying();
}

static void query_version(struct os_facts *facts)
{
	OSVERSIONINFOW version = {.dwOSVersionInfoSize = sizeof(version)};

	RtlGetVersion(&version);
	snprintf(facts->release, sizeof(facts->release), "%lu.%lu.%lu", version.dwMajorVersion,
		 version.dwMinorVersion, version.dwBuildNumber);
}

void os_query(struct os_facts *facts)
{
	SYSTEM_INFO system;

	GetNativeSystemInfo(&system);
	facts->os = "windows";
	facts->pid = GetCurrentProcessId();
	snprintf(facts->machine, sizeof(facts->machine), "%s",
		 system.wProcessorArchitecture == PROCESSOR_ARCHITECTURE_AMD64 ? "amd64" : "x86");
	query_version(facts);
	snprintf(facts->version, sizeof(facts->version), "Windows %s", facts->release);
}

uint32_t os_page_size(void)
{
	static uint32_t size;
	SYSTEM_INFO system;

	if (!size) {
		GetSystemInfo(&system);
		size = system.dwPageSize;
	}
	return size;
}

uint64_t os_clock_ns(void)
{
	LARGE_INTEGER now;
	uint64_t ticks;

	QueryPerformanceCounter(&now);
	ticks = (uint64_t)now.QuadPart;
	return ticks / clock_rate * SECOND_NS + ticks % clock_rate * SECOND_NS / clock_rate;
}

uint64_t os_time_ns(void)
{
	FILETIME now;

	GetSystemTimePreciseAsFileTime(&now);
	return (((uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime) - UNIX_EPOCH) *
	       NS_PER_TICK;
}

/* An administrator has the right, but must ask for it. */
static uint32_t clock_right(void)
{
	TOKEN_PRIVILEGES wanted = {.PrivilegeCount = 1,
				   .Privileges[0].Attributes = SE_PRIVILEGE_ENABLED};
	HANDLE token;
	uint32_t error;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &token))
		return win_error(false);
	error = win_error(LookupPrivilegeValueW(NULL, CLOCK_RIGHT, &wanted.Privileges[0].Luid));
	if (!error) {
		AdjustTokenPrivileges(token, FALSE, &wanted, 0, NULL, NULL);
		error = GetLastError(); /* not all assigned: the call succeeded and says so here */
	}
	CloseHandle(token);
	return error;
}

uint32_t os_set_time_ns(uint64_t ns)
{
	LARGE_INTEGER wanted = {.QuadPart = (LONGLONG)(ns / NS_PER_TICK + UNIX_EPOCH)};
	uint32_t error = clock_right();

	return error ? error : win_status_error(NtSetSystemTime(&wanted, NULL));
}

void os_sleep_ms(uint32_t ms)
{
	Sleep(ms);
}

/* The system sleeps whole milliseconds; what is less is waited for. */
void os_sleep_us(uint32_t us)
{
	uint64_t until = os_clock_ns() + us * UINT64_C(1000);

	if (us >= 1000)
		Sleep(us / 1000);
	while (os_clock_ns() < until)
		SwitchToThread();
}

/* Threads. */

struct os_thread {
	HANDLE handle;
	void (*run)(void *);
	void *arg;
};

static DWORD WINAPI thread_main(void *arg)
{
	os_thread *t = arg;

	t->run(t->arg);
	return 0;
}

uint32_t os_thread_start(void (*run)(void *), void *arg, os_thread **thread)
{
	os_thread *t = malloc(sizeof(*t));
	uint32_t error;

	if (!t)
		return ERROR_NOT_ENOUGH_MEMORY;
	*t = (os_thread){.run = run, .arg = arg};
	t->handle = CreateThread(NULL, 0, thread_main, t, 0, NULL);
	error = win_error(t->handle != NULL);
	if (error)
		free(t);
	else
		*thread = t;
	return error;
}

void os_thread_join(os_thread *thread)
{
	WaitForSingleObject(thread->handle, INFINITE);
	CloseHandle(thread->handle);
	free(thread);
}
