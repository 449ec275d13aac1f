/* SPDX-License-Identifier: MIT */
/* OS/2: streams over serial lines and pipes. */
#include "os_os2.h"

#include <stdlib.h>
#include <string.h>

#define STREAMS_MAX   160u
#define PORT_WAIT_MS  60000u
#define PORT_RETRY_MS 10u
#define STANDARD_IN   0u
#define STANDARD_OUT  1u

static uint32_t file_keep(HFILE file)
{
	return DosSetFHState(file, OPEN_FLAGS_NOINHERIT);
}

static struct os_stream stream_of(HFILE in, HFILE out)
{
	return (struct os_stream){
	    .in = (os_handle)in, .out = (os_handle)out, .received = OS_NO_HANDLE};
}

uint32_t os_stream_standard(struct os_stream *s)
{
	uint32_t error = file_keep(STANDARD_IN);

	*s = stream_of(STANDARD_IN, STANDARD_OUT);
	return error ? error : file_keep(STANDARD_OUT);
}

uint32_t os_stream_port(struct os_stream *s, const char *path)
{
	uint32_t error = 0, waited;
	os_handle port;

	for (waited = 0; waited < PORT_WAIT_MS; waited += PORT_RETRY_MS) {
		error = os_open(path, 0, &port);
		if (!error)
			break;
		os_sleep_ms(PORT_RETRY_MS);
	}
	*s = stream_of(os2_file(port), os2_file(port));
	s->port = path;
	s->is_line = true;
	return error;
}

uint32_t os_stream_client(struct os_stream *s, const char *number)
{
	char *rest;
	HFILE in = (HFILE)strtoul(number, &rest, 10);
	HFILE out = (HFILE)strtoul(*rest ? rest + 1 : rest, NULL, 10);
	uint32_t error = file_keep(in);

	*s = stream_of(in, out);
	return error ? error : file_keep(out);
}

void os_stream_close(struct os_stream *s)
{
	if (s->in != OS_NO_HANDLE)
		DosClose(os2_file(s->in));
	if (s->out != OS_NO_HANDLE && s->out != s->in)
		DosClose(os2_file(s->out));
	s->in = s->out = OS_NO_HANDLE;
}

static uint32_t streams_list(struct os_stream **streams, unsigned count, struct guest_poll *list)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < count; i++) {
		list[n++] = (struct guest_poll){os2_file(streams[i]->in), GUEST_POLL_READ, 0};
		if (streams[i]->want_write)
			list[n++] =
			    (struct guest_poll){os2_file(streams[i]->out), GUEST_POLL_WRITE, 0};
	}
	return n;
}

void os_wait(struct os_stream **streams, unsigned count, int timeout_ms)
{
	static struct guest_poll list[2 * STREAMS_MAX];
	const struct guest_poll *at = list;

	GuestPoll(list, streams_list(streams, count, list),
		  timeout_ms < 0 ? SEM_INDEFINITE_WAIT : (uint32_t)timeout_ms);
	for (unsigned i = 0; i < count; i++) {
		streams[i]->readable = (at++)->ready;
		streams[i]->writable = streams[i]->want_write && (at++)->ready;
	}
}

/* A second read would wait for more: nobody makes one before the next os_wait(). */
enum os_read os_stream_read(struct os_stream *s, void *to, size_t room, size_t *got)
{
	uint32_t n = 0;

	s->readable = false;
	if (DosRead(os2_file(s->in), to, (uint32_t)room, &n) || !n) {
		if (!s->port)
			return OS_READ_END;
		os_sleep_ms(PORT_RETRY_MS);
		return OS_READ_GAP;
	}
	*got = n;
	return OS_READ_DATA;
}

uint32_t os_stream_write(struct os_stream *s, const void *from, size_t n)
{
	const uint8_t *at = from;

	while (n > 0) {
		uint32_t written = 0;
		uint32_t error = DosWrite(os2_file(s->out), at, (uint32_t)n, &written);

		if (error)
			return error;
		at += written;
		n -= written;
	}
	return 0;
}

/* No handle can be passed: os_handle_export() says so before. */
uint32_t os_stream_offer(struct os_stream *s, const void *from, size_t n, os_handle pass,
			 size_t *sent)
{
	uint32_t written = 0;
	uint32_t error = GuestOffer(os2_file(s->out), from, (uint32_t)n, &written);

	(void)pass;
	*sent = written;
	return error;
}
