/* SPDX-License-Identifier: MIT */
/* Windows: requests to the driver. */
#include "os_windows.h"

uint64_t os_request_max_length(void)
{
	return UINT32_MAX;
}

/* Whether it is over, and with success; `overlapped` is NULL for who waits in the call. */
static bool request_begin(const struct os_request *r, void *in, uint64_t in_length, void *out,
			  uint64_t out_length, DWORD *returned, OVERLAPPED *overlapped)
{
	return DeviceIoControl((HANDLE)r->handle, (DWORD)r->number, in, (DWORD)in_length, out,
			       (DWORD)out_length, returned, overlapped);
}

/* A request that is over cannot be cancelled any more; it counts as it ended. */
static bool request_await(const struct os_request *r, DWORD *returned, OVERLAPPED *overlapped)
{
	if (r->cancelled)
		CancelIoEx((HANDLE)r->handle, overlapped);
	return GetOverlappedResult((HANDLE)r->handle, overlapped, returned, TRUE);
}

static uint32_t request_overlapped(const struct os_request *r, void *in, uint64_t in_length,
				   void *out, uint64_t out_length, DWORD *returned)
{
	OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
	uint32_t error;

	if (!overlapped.hEvent)
		return win_error(false);
	error = win_error(request_begin(r, in, in_length, out, out_length, returned, &overlapped));
	if (!error || error == ERROR_IO_PENDING)
		error = win_error(request_await(r, returned, &overlapped));
	CloseHandle(overlapped.hEvent);
	return error;
}

static void request_issue(struct os_request *r, void *in, uint64_t in_length, void *out,
			  uint64_t out_length)
{
	DWORD returned = 0;

	if (r->number > UINT32_MAX)
		r->error = ERROR_INVALID_PARAMETER;
	else if (r->overlapped)
		r->error = request_overlapped(r, in, in_length, out, out_length, &returned);
	else
		r->error =
		    win_error(request_begin(r, in, in_length, out, out_length, &returned, NULL));
	r->result = r->error ? -1 : 0;
	r->returned = returned;
}

void os_request_normal(struct os_request *r)
{
	request_issue(r, r->in, r->in_length, r->out, r->out_length);
}

/* The status comes in four bytes of output: it is the result, as it is of a system call elsewhere.
 */
void os_request_fast(struct os_request *r)
{
	int32_t status = 0;

	request_issue(r, NULL, 0, &status, sizeof(status));
	if (!r->error)
		r->result = status;
}

/* The argument is where these four bytes go. */
void os_request_raw(struct os_request *r)
{
	request_issue(r, NULL, 0, (void *)(uintptr_t)r->arg, sizeof(int32_t));
}

/* OS/2 has packets. */
void os_request_packets(struct os_packets *p)
{
	p->error = os_enosys;
}
