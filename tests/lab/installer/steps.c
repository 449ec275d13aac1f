/* SPDX-License-Identifier: MIT */
/*
 * With an empty disk: finds the seed, reads the computer's name out of the answers, makes the disk
 * one that starts this program, and resets the machine. The next time it is what the first logon
 * does, and powers off; from then on it is the installed system, which says that it is ready and
 * echoes what its second serial line gets. A computer called FAILS has a step that fails.
 */
#include "steps.h"

enum {
	COM1 = 0x3f8,
	COM2 = 0x2f8,
	STATE_SECTOR = 16384,
	RESET_PORT = 0xcf9,
	POWER_PORT = 0x604,
	FIRST_LOGON = 1,
	INSTALLED = 2,
};

static union {
	uint8_t bytes[DISK_SECTOR];
	struct {
		char magic[8];
		uint8_t step;
		char computer[16];
	};
} state;

static uint8_t block[DISC_BLOCK];

static void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" : : "a"(value), "Nd"(port));
}

static uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static void put(uint16_t port, uint8_t byte)
{
	while (!(in8(port + 5) & 0x20))
		;
	out8(port, byte);
}

static void print(const char *text)
{
	for (; *text; text++)
		put(COM1, *text);
}

/* On a line of its own, whatever the firmware has left there. */
static void say(const char *text, const char *more)
{
	print("\r\nsupdrv-guest: ");
	print(text);
	print(more);
	print("\r\n");
}

static void halt(void)
{
	for (;;)
		__asm__ volatile("hlt");
}

void fail(const char *why)
{
	say("failed: ", why);
	halt();
}

bool begins(const void *at, const char *text)
{
	const char *bytes = at;

	while (*text)
		if (*bytes++ != *text++)
			return false;
	return true;
}

static uint32_t word(const uint8_t *at)
{
	return at[0] | at[1] << 8 | at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Leaves its descriptor in `block`. */
static bool find_seed(unsigned *seed)
{
	unsigned disc;

	for (disc = 0; disc < disc_count(); disc++)
		if (disc_read(disc, 16, block) && begins(block + 1, "CD001") &&
		    begins(block + 40, "SUPDRVSEED")) {
			*seed = disc;
			return true;
		}
	return false;
}

/* Where the file `name` begins, in the root of the disc whose descriptor is in `block`; 0 if it is
 * not there. */
static uint32_t find_file(unsigned disc, const char *name)
{
	uint32_t extent = word(block + 156 + 2);
	unsigned at;

	if (!disc_read(disc, extent, block))
		return 0;
	for (at = 0; at < DISC_BLOCK && block[at]; at += block[at])
		if (begins(block + at + 33, name))
			return word(block + at + 2);
	return 0;
}

/* The computer's name, from answers of at most 16 blocks. */
static bool read_name(unsigned disc, uint32_t extent)
{
	static const char tag[] = "<ComputerName>";
	unsigned matched = 0, length = 0, count, at;

	for (count = 0; count < 16; count++) {
		if (!disc_read(disc, extent + count, block))
			return false;
		for (at = 0; at < DISC_BLOCK; at++) {
			if (matched == sizeof(tag) - 1) {
				if (block[at] == '<')
					return true;
				if (length == sizeof(state.computer) - 1)
					return false;
				state.computer[length++] = block[at];
			} else if (block[at] == tag[matched]) {
				matched++;
			} else {
				matched = block[at] == tag[0];
			}
		}
	}
	return false;
}

static void set_step(uint8_t step)
{
	static const char magic[] = "STANDIN";
	unsigned at;

	for (at = 0; at < sizeof(magic); at++)
		state.magic[at] = magic[at];
	state.step = step;
	if (!disk_write(STATE_SECTOR, &state))
		fail("the disk cannot be written");
}

static void install(void)
{
	unsigned seed;
	uint32_t answers;

	say("setup has begun", "");
	if (!find_seed(&seed))
		fail("no disc is the seed");
	answers = find_file(seed, "AUTOUNATTEND.XML");
	if (!answers || !read_name(seed, answers))
		fail("no answers on the seed");
	say("this computer is ", state.computer);
	if (!disk_make_bootable())
		fail("the disk cannot be written");
	set_step(FIRST_LOGON);
	say("files are copied", "");
	out8(RESET_PORT, 6);
	halt();
}

static void first_logon(void)
{
	say("first logon", "");
	say("step files", "");
	if (begins(state.computer, "FAILS")) {
		print("Access is denied.");
		fail("files, status 5");
	}
	set_step(INSTALLED);
	say("installed", "");
	out16(POWER_PORT, 0x2000);
	halt();
}

static void serve(void)
{
	say("ready", "");
	/* UEFI's timer would read the line, too. */
	__asm__ volatile("cli");
	for (;;)
		if (in8(COM2 + 5) & 1)
			put(COM2, in8(COM2));
}

void run(void)
{
	unsigned at;

	if (!disk_read(STATE_SECTOR, &state))
		fail("the disk cannot be read");
	if (!begins(state.magic, "STANDIN")) {
		for (at = 0; at < sizeof(state); at++)
			state.bytes[at] = 0;
		install();
	}
	if (state.step == INSTALLED)
		serve();
	first_logon();
}
