/* SPDX-License-Identifier: MIT */
/*
 * Serial ports of a virtio console device: streams of bytes under the names that the host gives
 * them. One host at a time is connected; that it has gone reads as an end, once, behind what it had
 * sent.
 */
#include "process.h"
#include "virtio.h"

#define PCI_CONSOLE 0x1003
#define MULTIPORT   2u
#define CONTROL_IN  2
#define CONTROL_OUT 3
#define PORTS	    4

/* Events of the control queues */
#define DEVICE_READY 0
#define PORT_ADD     1
#define PORT_READY   3
#define PORT_OPEN    6
#define PORT_NAME    7

struct control {
	uint32_t port;
	uint16_t event;
	uint16_t value;
};

struct port {
	bool there;
	bool gap; /* the host has gone since it was last read */
	char name[NAME_MAX];
	struct queue in, out;
	int buffer; /* the device's, from which the rest is to be read; -1 */
	uint32_t at, length;
};

static struct virtio_device device;
static struct queue control_in, control_out;
static struct port ports[PORTS];

static void reclaim(struct queue *q)
{
	uint32_t length;
	int buffer;

	while ((buffer = queue_done(q, &length)) >= 0)
		q->free |= 1u << buffer;
}

static void tell(uint32_t port, uint16_t event, uint16_t value)
{
	int buffer;

	do
		reclaim(&control_out);
	while ((buffer = queue_free(&control_out)) < 0);
	*(struct control *)queue_buffer(&control_out, (unsigned)buffer) =
	    (struct control){port, event, value};
	queue_give(&control_out, (unsigned)buffer, sizeof(struct control), false);
}

static void give_all(struct queue *q)
{
	int buffer;

	while ((buffer = queue_free(q)) >= 0)
		queue_give(q, (unsigned)buffer, PAGE_SIZE, true);
}

/* What it sends is kept from now on, whoever opens it later. */
static void port_add(uint32_t number)
{
	struct port *p = &ports[number];
	uint16_t first = (uint16_t)(number ? 2 * (number + 1) : 0);

	if (p->in.there || !queue_make(&p->in, &device, first) ||
	    !queue_make(&p->out, &device, first + 1))
		return;
	p->buffer = -1;
	give_all(&p->in);
	tell(number, PORT_READY, 1);
	tell(number, PORT_OPEN, 1);
}

static void controlled(const struct control *c, uint32_t length)
{
	struct port *p = &ports[c->port % PORTS];
	char name[NAME_MAX];
	uint32_t n = length - sizeof(*c);

	if (length < sizeof(*c) || c->port >= PORTS)
		return;
	if (c->event == PORT_ADD)
		port_add(c->port);
	else if (c->event == PORT_OPEN && !c->value)
		p->gap = true;
	else if (c->event == PORT_NAME && n < NAME_MAX) {
		memcpy(name, c + 1, n);
		name[n] = 0;
		p->there = p->in.there && name_normal(p->name, name);
	}
	ready_changed();
}

static void interrupted(void)
{
	uint32_t length;
	int buffer;

	if (!virtio_interrupted(&device))
		return;
	while ((buffer = queue_done(&control_in, &length)) >= 0) {
		controlled((struct control *)queue_buffer(&control_in, (unsigned)buffer), length);
		queue_give(&control_in, (unsigned)buffer, PAGE_SIZE, true);
	}
	ready_changed();
}

void virtio_ports_start(void)
{
	if (!virtio_find(&device, PCI_CONSOLE, MULTIPORT))
		return;
	if (!queue_make(&control_in, &device, CONTROL_IN) ||
	    !queue_make(&control_out, &device, CONTROL_OUT))
		return;
	irq_enable(device.irq, interrupted);
	virtio_ready(&device);
	give_all(&control_in);
	tell(0, DEVICE_READY, 1);
}

/* Whether there is something to be read; then p->buffer has it. */
static bool fetch(struct port *p)
{
	if (p->buffer < 0) {
		p->at = 0;
		p->buffer = queue_done(&p->in, &p->length);
	}
	return p->buffer >= 0;
}

static uint32_t take(struct port *p, uint8_t *to, uint32_t length)
{
	uint32_t done = 0;

	while (done < length && fetch(p)) {
		uint32_t left = p->length - p->at, n = left < length - done ? left : length - done;

		memcpy(to + done, queue_buffer(&p->in, (unsigned)p->buffer) + p->at, n);
		done += n;
		p->at += n;
		if (p->at == p->length) {
			queue_give(&p->in, (unsigned)p->buffer, PAGE_SIZE, true);
			p->buffer = -1;
		}
	}
	return done;
}

static uint32_t port_read(struct open_file *f, void *to, uint32_t length, uint32_t *done)
{
	struct port *p = f->object;
	uint32_t flags = interrupts_off(), error = NO_ERROR;

	while (!fetch(p) && !p->gap && !error)
		error = block((uint32_t)&ready_event, FOREVER, true);
	*done = error ? 0 : take(p, to, length);
	if (!error && *done == 0)
		p->gap = false;
	interrupts_restore(flags);
	return error ? ERROR_INTERRUPT : NO_ERROR;
}

static bool has_room(struct port *p)
{
	reclaim(&p->out);
	return queue_free(&p->out) >= 0;
}

static uint32_t port_write(struct open_file *f, const void *from, uint32_t length, bool wait,
			   uint32_t *done)
{
	struct port *p = f->object;
	uint32_t flags = interrupts_off(), error = NO_ERROR;

	*done = 0;
	while (*done < length && !error) {
		uint32_t n = length - *done < PAGE_SIZE ? length - *done : PAGE_SIZE;

		if (has_room(p)) {
			unsigned buffer = (unsigned)queue_free(&p->out);

			memcpy(queue_buffer(&p->out, buffer), (const uint8_t *)from + *done, n);
			queue_give(&p->out, buffer, n, false);
			*done += n;
		} else if (!wait) {
			break;
		} else if (block((uint32_t)&ready_event, FOREVER, true)) {
			error = ERROR_INTERRUPT;
		}
	}
	interrupts_restore(flags);
	return error;
}

static uint32_t port_ready(struct open_file *f, uint32_t wanted)
{
	struct port *p = f->object;

	return wanted & ((fetch(p) || p->gap ? READY_READ : 0) | (has_room(p) ? READY_WRITE : 0));
}

static const struct file_calls calls = {
    .read = port_read, .write = port_write, .ready = port_ready};

struct open_file *virtio_port_open(const char *normal)
{
	for (unsigned i = 0; i < PORTS; i++)
		if (ports[i].there && strcmp(ports[i].name, normal) == 0)
			return file_make(&calls, &ports[i], 2);
	return NULL;
}
