/* SPDX-License-Identifier: MIT */
/* Pipes without a name. */
#include "process.h"

#define SIZE_SMALLEST 4096u
#define SIZE_LARGEST  65536u

struct pipe {
	struct ring ring;
	bool read, write; /* which ends are open */
};

static uint32_t pipe_read(struct open_file *f, void *to, uint32_t length, uint32_t *done)
{
	struct pipe *p = f->object;
	uint32_t flags = interrupts_off(), error = NO_ERROR;

	while (ring_used(&p->ring) == 0 && p->write && !error)
		error = block((uint32_t)&ready_event, FOREVER, true);
	interrupts_restore(flags);
	*done = error ? 0 : ring_take(&p->ring, to, length);
	ready_changed();
	return error ? ERROR_INTERRUPT : NO_ERROR;
}

static uint32_t pipe_write(struct open_file *f, const void *from, uint32_t length, bool wait,
			   uint32_t *done)
{
	struct pipe *p = f->object;
	uint32_t flags = interrupts_off(), error = NO_ERROR;

	*done = 0;
	while (!error) {
		if (!p->read)
			error = ERROR_BROKEN_PIPE;
		else
			*done += ring_put(&p->ring, (const char *)from + *done, length - *done);
		ready_changed();
		if (error || *done == length || !wait)
			break;
		if (block((uint32_t)&ready_event, FOREVER, true))
			error = ERROR_INTERRUPT;
	}
	interrupts_restore(flags);
	return error;
}

static uint32_t read_ready(struct open_file *f, uint32_t wanted)
{
	const struct pipe *p = f->object;

	return ring_used(&p->ring) || !p->write ? wanted & READY_READ : 0;
}

static uint32_t write_ready(struct open_file *f, uint32_t wanted)
{
	const struct pipe *p = f->object;

	return ring_room(&p->ring) || !p->read ? wanted & READY_WRITE : 0;
}

static void end_closed(struct pipe *p)
{
	ready_changed();
	if (p->read || p->write)
		return;
	heap_drop(p->ring.bytes);
	heap_drop(p);
}

static void read_close(struct open_file *f)
{
	struct pipe *p = f->object;

	p->read = false;
	end_closed(p);
}

static void write_close(struct open_file *f)
{
	struct pipe *p = f->object;

	p->write = false;
	end_closed(p);
}

static const struct file_calls read_calls = {
    .read = pipe_read, .ready = read_ready, .close = read_close};
static const struct file_calls write_calls = {
    .write = pipe_write, .ready = write_ready, .close = write_close};

uint32_t pipe_make(uint32_t size, struct open_file **read, struct open_file **write)
{
	struct pipe *p = heap_take_zeroed(sizeof(*p));
	uint32_t room = SIZE_SMALLEST;

	while (room < size && room < SIZE_LARGEST)
		room *= 2;
	*read = *write = NULL;
	if (p) {
		p->ring = (struct ring){.bytes = heap_take(room), .size = room};
		p->read = p->write = true;
		*read = file_make(&read_calls, p, 0);
		*write = file_make(&write_calls, p, 1);
	}
	if (p && p->ring.bytes && *read && *write)
		return NO_ERROR;
	if (p)
		heap_drop(p->ring.bytes);
	heap_drop(p);
	heap_drop(*read);
	heap_drop(*write);
	return ERROR_NOT_ENOUGH_MEMORY;
}
