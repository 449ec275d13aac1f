/* SPDX-License-Identifier: MIT */
/* The console: the first serial port, written by polling, so that it works whatever has happened.
 */
#include "kernel.h"

#define PORT	   0x3F8
#define LINE_STATE 5
#define ROOM	   0x20

void console_start(void)
{
	out8(PORT + 1, 0);    /* no interrupts: its line is the third port's */
	out8(PORT + 3, 0x80); /* the divisor is at 0 and 1 */
	out8(PORT + 0, 1);
	out8(PORT + 1, 0);
	out8(PORT + 3, 3); /* 8 bits, no parity */
	out8(PORT + 2, 7); /* FIFO on and empty */
	out8(PORT + 4, 3);
}

static void write_byte(char c)
{
	while (!(in8(PORT + LINE_STATE) & ROOM))
		;
	out8(PORT, (uint8_t)c);
}

void console_write(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			write_byte('\r');
		write_byte(text[i]);
	}
}

void print(const char *how, ...)
{
	char text[256];
	va_list list;
	int n;

	va_start(list, how);
	n = format_list(text, sizeof(text), how, list);
	va_end(list);
	console_write(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
}
