/* SPDX-License-Identifier: MIT */
/* Windows: the driver, through the service manager. Its service exists as long as it is loaded. */
#include "os_windows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto.h"

#define SERVICE_RIGHTS                                                                             \
	(SERVICE_START | SERVICE_STOP | SERVICE_QUERY_STATUS | SERVICE_CHANGE_CONFIG | DELETE)
#define PARAMETERS L"SYSTEM\\CurrentControlSet\\Services\\%ls\\Parameters"
/* Windows goes by it at its start only. Wine has a process for each group, and takes a second to
 * start one for a driver of none. */
#define GROUP L"Extended Base"
/* The driver tells its counters and, far behind them, its build id: docs/windows.md. */
#define COUNTERS     "\\\\.\\%s-counters"
#define BUILD_ID_AT  0x10000u
#define STOP_WAIT_MS 5000u
#define STOP_LOOK_MS 5u

struct service {
	SC_HANDLE manager, service;
};

static void service_close(struct service *s)
{
	if (s->service)
		CloseServiceHandle(s->service);
	if (s->manager)
		CloseServiceHandle(s->manager);
}

static uint32_t service_open(struct service *s, const wchar_t *name, DWORD rights)
{
	uint32_t error;

	*s = (struct service){
	    .manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE)};
	if (!s->manager)
		return win_error(false);
	s->service = OpenServiceW(s->manager, name, rights);
	error = win_error(s->service != NULL);
	if (error)
		service_close(s);
	return error;
}

/* Makes the service, or lets one that was left behind be this driver's. */
static uint32_t service_make(struct service *s, const wchar_t *name, const wchar_t *path)
{
	uint32_t error = service_open(s, name, SERVICE_RIGHTS);

	if (!error)
		return win_error(ChangeServiceConfigW(s->service, SERVICE_NO_CHANGE,
						      SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, path,
						      NULL, NULL, NULL, NULL, NULL, NULL));
	if (error != ERROR_SERVICE_DOES_NOT_EXIST)
		return error;
	*s = (struct service){
	    .manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE)};
	if (!s->manager)
		return win_error(false);
	s->service = CreateServiceW(s->manager, name, name, SERVICE_RIGHTS, SERVICE_KERNEL_DRIVER,
				    SERVICE_DEMAND_START, SERVICE_ERROR_IGNORE, path, GROUP, NULL,
				    NULL, NULL, NULL);
	return win_error(s->service != NULL);
}

/* "a=1 b=2", the driver's only parameters from now on. */
static uint32_t parameters_write(HKEY key, const char *params)
{
	char name[NAME_SIZE];
	unsigned long value;
	int length;

	while (sscanf(params, " %63[^= ]=%lu%n", name, &value, &length) == 2) {
		DWORD number = value;
		uint32_t error = (uint32_t)RegSetValueExA(key, name, 0, REG_DWORD,
							  (const BYTE *)&number, sizeof(number));

		if (error)
			return error;
		params += length;
	}
	return strspn(params, " ") == strlen(params) ? 0 : ERROR_INVALID_PARAMETER;
}

static uint32_t parameters_set(const wchar_t *service, const char *params)
{
	wchar_t path[WIN_PATH_SIZE];
	uint32_t error;
	HKEY key;

	_snwprintf(path, WIN_PATH_SIZE, PARAMETERS, service);
	error = (uint32_t)RegDeleteKeyW(HKEY_LOCAL_MACHINE, path);
	if (error && error != ERROR_FILE_NOT_FOUND)
		return error;
	error = (uint32_t)RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0,
					  KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, &key, NULL);
	if (error)
		return error;
	error = parameters_write(key, params);
	RegCloseKey(key);
	return error;
}

/* The file's name without what follows a dot. */
static void service_name(const wchar_t *path, wchar_t name[NAME_SIZE])
{
	const wchar_t *start = path + wcslen(path);
	size_t length;

	while (start > path && start[-1] != L'\\' && start[-1] != L'/')
		start--;
	length = wcscspn(start, L".");
	if (length >= NAME_SIZE)
		length = NAME_SIZE - 1;
	wcsncpy(name, start, length);
	name[length] = 0;
}

uint32_t os_driver_load(const char *path, const char *params)
{
	wchar_t file[WIN_PATH_SIZE], name[NAME_SIZE];
	struct service s;
	uint32_t error = win_path(path, file);

	if (error)
		return error;
	if (GetFileAttributesW(file) == INVALID_FILE_ATTRIBUTES)
		return win_error(false);
	service_name(file, name);
	error = service_make(&s, name, file);
	if (!error)
		error = parameters_set(name, params);
	if (!error)
		error = win_error(StartServiceW(s.service, 0, NULL));
	if (error && error != ERROR_SERVICE_ALREADY_RUNNING && s.service)
		DeleteService(s.service);
	service_close(&s);
	return error;
}

/* The manager may tell of a stop before it is one; a driver that stays is in use. */
static uint32_t service_stopped(SC_HANDLE service)
{
	SERVICE_STATUS status;

	for (uint32_t waited = 0; waited < STOP_WAIT_MS; waited += STOP_LOOK_MS) {
		if (!QueryServiceStatus(service, &status))
			return win_error(false);
		if (status.dwCurrentState == SERVICE_STOPPED)
			return 0;
		if (status.dwCurrentState == SERVICE_RUNNING)
			return ERROR_INVALID_SERVICE_CONTROL;
		Sleep(STOP_LOOK_MS);
	}
	return ERROR_SERVICE_REQUEST_TIMEOUT;
}

uint32_t os_driver_unload(const char *name)
{
	wchar_t wide[WIN_PATH_SIZE];
	SERVICE_STATUS status;
	struct service s;
	uint32_t error = win_path(name, wide);

	if (!error)
		error = service_open(&s, wide, SERVICE_RIGHTS);
	if (error)
		return error;
	error = win_error(ControlService(s.service, SERVICE_CONTROL_STOP, &status));
	if (!error && status.dwCurrentState != SERVICE_STOPPED)
		error = service_stopped(s.service);
	if (!error || error == ERROR_SERVICE_NOT_ACTIVE)
		DeleteService(s.service);
	service_close(&s);
	return error;
}

static uint32_t service_running(const wchar_t *name, bool *running)
{
	SERVICE_STATUS status = {0};
	struct service s;
	uint32_t error = service_open(&s, name, SERVICE_QUERY_STATUS);

	*running = false;
	if (error)
		return error == ERROR_SERVICE_DOES_NOT_EXIST ? 0 : error;
	error = win_error(QueryServiceStatus(s.service, &status));
	*running = status.dwCurrentState == SERVICE_RUNNING;
	service_close(&s);
	return error;
}

uint32_t os_driver_status(const char *name, struct os_driver *driver)
{
	wchar_t wide[WIN_PATH_SIZE];
	char counters[NAME_SIZE + sizeof(COUNTERS)];
	uint32_t error = win_path(name, wide);

	if (!error)
		error = service_running(wide, &driver->loaded);
	if (error || !driver->loaded)
		return error;
	snprintf(counters, sizeof(counters), COUNTERS, name);
	if (os_file_read(counters, BUILD_ID_AT, driver->build_id, sizeof(driver->build_id),
			 &driver->build_id_length) != 0)
		driver->build_id_length = 0; /* a driver without one is told as that */
	return 0;
}
