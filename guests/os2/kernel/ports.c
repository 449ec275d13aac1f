/* SPDX-License-Identifier: MIT */
/* Serial ports for streams of bytes: 16550 with FIFO, read by interrupt. COM1 is the console. */
#include "process.h"

#define RING_SIZE 65536u
#define FIFO_SIZE 16
#define PORTS	  2

/* Registers */
#define DATA	    0
#define INTERRUPTS  1
#define CAUSE	    2
#define FIFO	    2
#define LINE	    3
#define MODEM	    4
#define STATE	    5
#define HAS_BYTE    0x01
#define HAS_ROOM    0x20
#define NO_CHIP	    0xFF
#define MODEM_LINES 0x0B /* ready, and interrupts get out */

struct port {
	const char *name;
	uint16_t base;
	uint8_t irq;
	bool there;
	struct ring received;
};

static struct port ports[PORTS] = {
    {.name = "COM2", .base = 0x2F8, .irq = 3},
    {.name = "COM3", .base = 0x3E8, .irq = 4},
};

static void drain(struct port *p)
{
	bool some = false;

	while (ring_room(&p->received) && in8(p->base + STATE) & HAS_BYTE) {
		uint8_t byte = in8(p->base + DATA);

		ring_put(&p->received, &byte, 1);
		some = true;
	}
	/* No room: the host is made to wait until somebody has read. */
	if (!ring_room(&p->received))
		out8(p->base + INTERRUPTS, 0);
	if (some)
		ready_changed();
}

static void interrupted(struct port *p)
{
	in8(p->base + CAUSE);
	drain(p);
}

static void interrupted_com2(void)
{
	interrupted(&ports[0]);
}

static void interrupted_com3(void)
{
	interrupted(&ports[1]);
}

static void port_start(struct port *p)
{
	out8(p->base + INTERRUPTS, 0);
	if (in8(p->base + STATE) == NO_CHIP)
		return;
	p->received = (struct ring){.bytes = heap_take(RING_SIZE), .size = RING_SIZE};
	p->there = p->received.bytes;
	out8(p->base + LINE, 0x80);
	out8(p->base + DATA, 1);
	out8(p->base + INTERRUPTS, 0);
	out8(p->base + LINE, 3);
	out8(p->base + FIFO, 7); /* an interrupt for each byte: none waits for more to come */
	out8(p->base + MODEM, MODEM_LINES);
	out8(p->base + INTERRUPTS, p->there);
}

void ports_start(void)
{
	for (unsigned i = 0; i < PORTS; i++)
		port_start(&ports[i]);
	irq_enable(ports[0].irq, interrupted_com2);
	irq_enable(ports[1].irq, interrupted_com3);
}

static uint32_t port_read(struct open_file *f, void *to, uint32_t length, uint32_t *done)
{
	struct port *p = f->object;
	uint32_t flags = interrupts_off(), error = NO_ERROR;

	while (ring_used(&p->received) == 0 && !error)
		error = block((uint32_t)&ready_event, FOREVER, true);
	*done = error ? 0 : ring_take(&p->received, to, length);
	out8(p->base + INTERRUPTS, 1);
	interrupts_restore(flags);
	return error ? ERROR_INTERRUPT : NO_ERROR;
}

static uint32_t port_write(struct open_file *f, const void *from, uint32_t length, bool wait,
			   uint32_t *done)
{
	struct port *p = f->object;

	for (*done = 0; *done < length;) {
		if (!(in8(p->base + STATE) & HAS_ROOM)) {
			if (!wait)
				break;
			yield();
			continue;
		}
		for (int i = 0; i < FIFO_SIZE && *done < length; i++)
			out8(p->base + DATA, ((const uint8_t *)from)[(*done)++]);
	}
	return NO_ERROR;
}

static uint32_t port_ready(struct open_file *f, uint32_t wanted)
{
	const struct port *p = f->object;

	return wanted & ((ring_used(&p->received) ? READY_READ : 0) | READY_WRITE);
}

static const struct file_calls calls = {
    .read = port_read, .write = port_write, .ready = port_ready};

/* Only to be written. */
static uint32_t console_file_write(struct open_file *f, const void *from, uint32_t length,
				   bool wait, uint32_t *done)
{
	(void)f;
	(void)wait;
	console_write(from, length);
	*done = length;
	return NO_ERROR;
}

static const struct file_calls console_calls = {.write = console_file_write};

struct open_file *port_open(const char *normal)
{
	if (strcmp(normal, "CON") == 0 || strcmp(normal, "COM1") == 0)
		return file_make(&console_calls, NULL, 1);
	for (unsigned i = 0; i < PORTS; i++)
		if (ports[i].there && strcmp(ports[i].name, normal) == 0)
			return file_make(&calls, &ports[i], 2);
	return NULL;
}
