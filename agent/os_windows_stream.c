/* SPDX-License-Identifier: MIT */
/* Windows: streams. Reads wait, in a thread of the stream's own as soon as there is more to wait
 * for. */
#include "os_windows.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK	      (64u * 1024)
#define PORT_WAIT_MS  60000u
#define PORT_RETRY_MS 10u
/* A port of the Unix that this Windows runs on: reads of it block, and writes do not wait for them.
 */
#define UNIX_PORT L"\\\\?\\unix\\"

enum reading { READ_OVER, READ_WANTED };

struct channel {
	HANDLE in, out;
	bool overlapped;      /* a read and a write at the same time must be made that way */
	HANDLE read, written; /* events for that */
	HANDLE reader;
	HANDLE wanted; /* tells the reader to read */
	_Atomic enum reading reading;
	atomic_bool closed;
	bool alone; /* the next read may wait */
	uint32_t read_error;
	DWORD have, at;
	uint8_t data[CHUNK];
};

static HANDLE news; /* a reader has done its work */

static struct channel *stream_channel(const struct os_stream *s)
{
	return s->in == OS_NO_HANDLE ? NULL : (struct channel *)s->in;
}

static struct channel *channel_make(HANDLE in, HANDLE out)
{
	struct channel *c = calloc(1, sizeof(*c));

	if (!c) {
		CloseHandle(in);
		if (out != in)
			CloseHandle(out);
		return NULL;
	}
	c->in = in;
	c->out = out;
	return c;
}

static void close_all(const HANDLE *handles, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (handles[i])
			CloseHandle(handles[i]);
}

static void channel_free(struct channel *c)
{
	HANDLE other = c->out == c->in ? NULL : c->out;

	close_all((HANDLE[]){c->in, other, c->read, c->written, c->wanted, c->reader}, 6);
	free(c);
}

struct channel *channel_blocking(HANDLE in, HANDLE out)
{
	return channel_make(in, out);
}

static struct channel *channel_overlapped(HANDLE handle)
{
	struct channel *c = channel_make(handle, handle);

	if (!c)
		return NULL;
	c->overlapped = true;
	c->read = CreateEventW(NULL, TRUE, FALSE, NULL);
	c->written = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (c->read && c->written)
		return c;
	channel_free(c);
	return NULL;
}

struct os_stream channel_stream(struct channel *c)
{
	os_handle handle = c ? (os_handle)c : OS_NO_HANDLE;

	return (struct os_stream){.in = handle, .out = handle, .received = OS_NO_HANDLE};
}

/* Reading. */

static uint32_t overlapped_end(const struct channel *c, BOOL done, OVERLAPPED *wait, DWORD *n)
{
	uint32_t error = win_error(done);

	if (error && error != ERROR_IO_PENDING)
		return error;
	return win_error(GetOverlappedResult(c->in, wait, n, TRUE));
}

/* No bytes without an error: the end of a file, or a line on which nothing came for long. */
static uint32_t read_waiting(struct channel *c, void *to, DWORD room, DWORD *got)
{
	OVERLAPPED wait = {.hEvent = c->read};
	uint32_t error;

	if (c->overlapped)
		return overlapped_end(c, ReadFile(c->in, to, room, NULL, &wait), &wait, got);
	error = win_error(ReadFile(c->in, to, room, got, NULL));
	return error || *got ? error : ERROR_HANDLE_EOF;
}

static DWORD WINAPI reader_main(void *arg)
{
	struct channel *c = arg;

	while (WaitForSingleObject(c->wanted, INFINITE) == WAIT_OBJECT_0 && !c->closed) {
		c->at = c->have = 0;
		c->read_error = read_waiting(c, c->data, CHUNK, &c->have);
		c->reading = READ_OVER;
		SetEvent(news);
	}
	channel_free(c);
	return 0;
}

static void read_begin(struct channel *c)
{
	if (!news)
		news = CreateEventW(NULL, FALSE, FALSE, NULL);
	if (!c->wanted)
		c->wanted = CreateEventW(NULL, FALSE, FALSE, NULL);
	if (news && c->wanted && !c->reader)
		c->reader = CreateThread(NULL, 0, reader_main, c, 0, NULL);
	c->reading = READ_WANTED;
	if (c->reader && SetEvent(c->wanted))
		return;
	c->read_error = win_error(false);
	c->reading = READ_OVER;
}

/* The reader, if there is one, lets go of it as soon as it is told: that comes last. */
void os_stream_close(struct os_stream *s)
{
	struct channel *c = stream_channel(s);

	s->in = s->out = OS_NO_HANDLE;
	if (!c)
		return;
	if (!c->reader) {
		channel_free(c);
		return;
	}
	c->closed = true;
	CancelIoEx(c->in, NULL);
	CancelSynchronousIo(c->reader);
	SetEvent(c->wanted);
}

/* What a reader has left belongs to the one who waits. */
static bool is_readable(const struct channel *c)
{
	return c->reading == READ_OVER && (c->have > 0 || c->read_error);
}

/* True: something is there to be done for this stream already. */
static bool stream_prepare(struct os_stream *s)
{
	struct channel *c = stream_channel(s);

	if (!c || s->away)
		return false;
	if (c->reading != READ_WANTED && !is_readable(c))
		read_begin(c);
	return is_readable(c) || s->want_write;
}

static void stream_settle(struct os_stream *s)
{
	const struct channel *c = stream_channel(s);

	s->readable = s->away || (c && is_readable(c));
	s->writable = s->want_write && c;
}

/* Nobody else is waited for, so that a read can wait itself. */
static bool wait_alone(struct os_stream *s)
{
	struct channel *c = stream_channel(s);

	if (!c || c->reading == READ_WANTED)
		return false;
	if (s->away)
		Sleep(PORT_RETRY_MS);
	c->alone = true;
	s->readable = true;
	s->writable = s->want_write;
	return true;
}

static void wait_news(DWORD timeout_ms)
{
	if (news)
		WaitForSingleObject(news, timeout_ms);
	else
		Sleep(timeout_ms);
}

void os_wait(struct os_stream **streams, unsigned count, int timeout_ms)
{
	DWORD timeout = timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms;
	bool ready = false;

	if (count == 1 && timeout_ms < 0 && wait_alone(streams[0]))
		return;
	for (unsigned i = 0; i < count; i++) {
		ready |= stream_prepare(streams[i]);
		if (streams[i]->away && timeout > PORT_RETRY_MS)
			timeout = PORT_RETRY_MS;
	}
	if (!ready)
		wait_news(timeout);
	for (unsigned i = 0; i < count; i++)
		stream_settle(streams[i]);
}

/* Ports. */

static uint32_t line_prepare(HANDLE port)
{
	/* A read ends with the first bytes that are there. */
	COMMTIMEOUTS timeouts = {.ReadIntervalTimeout = MAXDWORD,
				 .ReadTotalTimeoutMultiplier = MAXDWORD,
				 .ReadTotalTimeoutConstant = MAXDWORD - 1};
	DCB line = {.DCBlength = sizeof(line)};

	if (!GetCommState(port, &line))
		return win_error(false);
	line.fBinary = TRUE;
	line.fParity = line.fOutxCtsFlow = line.fOutxDsrFlow = line.fOutX = line.fInX = FALSE;
	line.fDsrSensitivity = line.fErrorChar = line.fNull = line.fAbortOnError = FALSE;
	line.fRtsControl = RTS_CONTROL_ENABLE;
	line.fDtrControl = DTR_CONTROL_ENABLE;
	line.ByteSize = 8;
	line.Parity = NOPARITY;
	line.StopBits = ONESTOPBIT;
	return win_error(SetCommState(port, &line) && SetCommTimeouts(port, &timeouts));
}

static uint32_t port_open(struct os_stream *s)
{
	wchar_t path[WIN_PATH_SIZE];
	uint32_t error = win_path(s->port, path);
	bool blocking = wcsncmp(path, UNIX_PORT, wcslen(UNIX_PORT)) == 0;
	struct channel *c;
	HANDLE port;

	if (error)
		return error;
	port = CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
			   blocking ? 0 : FILE_FLAG_OVERLAPPED, NULL);
	if (port == INVALID_HANDLE_VALUE)
		return win_error(false);
	s->is_line = !blocking && line_prepare(port) == 0;
	c = blocking ? channel_blocking(port, port) : channel_overlapped(port);
	if (!c)
		return ERROR_NOT_ENOUGH_MEMORY;
	s->in = s->out = (os_handle)c;
	return 0;
}

uint32_t os_stream_port(struct os_stream *s, const char *path)
{
	uint32_t error = 0;

	*s = (struct os_stream){
	    .port = path, .in = OS_NO_HANDLE, .out = OS_NO_HANDLE, .received = OS_NO_HANDLE};
	for (uint32_t waited = 0; waited < PORT_WAIT_MS; waited += PORT_RETRY_MS) {
		error = port_open(s);
		if (!error)
			break;
		os_sleep_ms(PORT_RETRY_MS);
	}
	return error;
}

/* Nobody is connected; any other error is one of this handle. */
static bool is_alone(uint32_t error)
{
	return error == ERROR_HANDLE_EOF || error == ERROR_NO_SYSTEM_RESOURCES;
}

static enum os_read port_gap(struct os_stream *s, bool hung_up)
{
	s->away = true;
	if (hung_up) {
		os_stream_close(s);
		port_open(s);
	}
	return OS_READ_GAP;
}

static enum os_read read_failed(struct os_stream *s, uint32_t error)
{
	return s->port ? port_gap(s, s->is_line || !is_alone(error)) : OS_READ_END;
}

enum os_read os_stream_read(struct os_stream *s, void *to, size_t room, size_t *got)
{
	struct channel *c = stream_channel(s);
	DWORD n = 0;
	uint32_t error;

	s->away = false;
	if (!c)
		return port_gap(s, true);
	if (c->reading == READ_WANTED)
		return OS_READ_NONE;
	error = c->read_error;
	c->read_error = 0;
	if (c->have > 0) { /* then there is no error */
		n = c->have < room ? c->have : (DWORD)room;
		memcpy(to, c->data + c->at, n);
		c->at += n;
		c->have -= n;
	} else if (!error && c->alone) {
		error = read_waiting(c, to, room < CHUNK ? (DWORD)room : CHUNK, &n);
	}
	c->alone = false;
	if (error)
		return read_failed(s, error);
	*got = n;
	return n ? OS_READ_DATA : OS_READ_NONE;
}

/* Writing. */

static uint32_t write_some(struct channel *c, const uint8_t *from, DWORD n, DWORD *sent)
{
	OVERLAPPED wait = {.hEvent = c->written};

	if (c->overlapped)
		return overlapped_end(c, WriteFile(c->out, from, n, NULL, &wait), &wait, sent);
	return win_error(WriteFile(c->out, from, n, sent, NULL));
}

uint32_t os_stream_write(struct os_stream *s, const void *from, size_t n)
{
	struct channel *c = stream_channel(s);
	const uint8_t *at = from;

	if (!c)
		return ERROR_INVALID_HANDLE;
	while (n > 0) {
		DWORD sent = 0;
		uint32_t error = write_some(c, at, n < CHUNK ? (DWORD)n : CHUNK, &sent);

		if (error)
			return error;
		at += sent;
		n -= sent;
	}
	return 0;
}

/* Only a client that waits for a frame is sent one, so that this waits for nobody. */
uint32_t os_stream_offer(struct os_stream *s, const void *from, size_t n, os_handle pass,
			 size_t *sent)
{
	uint32_t error;

	(void)pass; /* the token tells of it */
	error = os_stream_write(s, from, n);
	*sent = error ? 0 : n;
	return error;
}

uint32_t os_stream_standard(struct os_stream *s)
{
	HANDLE in = GetStdHandle(STD_INPUT_HANDLE), out = GetStdHandle(STD_OUTPUT_HANDLE);
	struct channel *c = channel_blocking(in, out);

	*s = channel_stream(c);
	SetStdHandle(STD_INPUT_HANDLE, NULL);
	SetStdHandle(STD_OUTPUT_HANDLE, NULL);
	SetHandleInformation(in, HANDLE_FLAG_INHERIT, 0);
	SetHandleInformation(out, HANDLE_FLAG_INHERIT, 0);
	return c ? 0 : ERROR_NOT_ENOUGH_MEMORY;
}

uint32_t os_stream_client(struct os_stream *s, const char *number)
{
	char *rest;
	HANDLE in = (HANDLE)(uintptr_t)strtoul(number, &rest, 10);
	HANDLE out = (HANDLE)(uintptr_t)strtoul(*rest ? rest + 1 : rest, NULL, 10);
	struct channel *c = channel_blocking(in, out);

	*s = channel_stream(c);
	if (!c)
		return ERROR_NOT_ENOUGH_MEMORY;
	return win_error(SetHandleInformation(in, HANDLE_FLAG_INHERIT, 0) &&
			 SetHandleInformation(out, HANDLE_FLAG_INHERIT, 0));
}
