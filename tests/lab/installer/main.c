/* SPDX-License-Identifier: MIT */
/*
 * Stands in for an installer of Windows. From a disc: finds the seed, reads the computer's name out
 * of the answers, copies itself to the disk and resets the machine. From the disk: the first time
 * it is what the first logon does, and powers off; from then on it is the installed system, which
 * says that it is ready and echoes what its second serial line gets. A computer called FAILS has a
 * step that fails.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
	COM1 = 0x3f8,
	COM2 = 0x2f8,
	DISK = 0x80,
	FIRST_DISC = 0xe0,
	LAST_DISC = 0xe7,
	DISC_BLOCK = 2048,
	STATE_SECTOR = 100,
	LOADED_AT = 0x7c00,
	RESET_PORT = 0xcf9,
	POWER_PORT = 0x604,
	FIRST_LOGON = 1,
	INSTALLED = 2,
};

extern uint32_t boot_drive;
void main(void);

static uint8_t block[DISC_BLOCK];
static char computer[16];

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

static void say(const char *text)
{
	print("supdrv-guest: ");
	print(text);
	print("\r\n");
}

static void halt(void)
{
	for (;;)
		__asm__ volatile("hlt");
}

/* `count` blocks between memory at `at` and a drive; blocks are as long as the drive's are. */
static bool transfer(uint8_t drive, bool write, uint32_t first, uint16_t count, const void *at)
{
	struct {
		uint8_t size, zero;
		uint16_t count, offset, segment;
		uint64_t first;
	} packet = {16, 0, count, (uint16_t)(uintptr_t)at, 0, first};
	uint8_t failed;
	uint16_t function = write ? 0x4300 : 0x4200;

	__asm__ volatile("int $0x13; setc %0"
			 : "=qm"(failed), "+a"(function)
			 : "d"(drive), "S"(&packet)
			 : "memory", "cc");
	return !failed;
}

static bool begins(const void *at, const char *text)
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

static bool find_seed(uint8_t *drive)
{
	unsigned at;

	for (at = FIRST_DISC; at <= LAST_DISC; at++)
		if (transfer(at, false, 16, 1, block) && begins(block + 1, "CD001") &&
		    begins(block + 40, "SUPDRVSEED")) {
			*drive = at;
			return true;
		}
	return false;
}

/* Where the file `name` begins, in the root of the disc whose descriptor is in `block`; 0 if it is
 * not there. */
static uint32_t find_file(uint8_t drive, const char *name)
{
	uint32_t extent = word(block + 156 + 2);
	unsigned at;

	if (!transfer(drive, false, extent, 1, block))
		return 0;
	for (at = 0; at < DISC_BLOCK && block[at]; at += block[at])
		if (begins(block + at + 33, name))
			return word(block + at + 2);
	return 0;
}

/* The computer's name, from answers of at most 16 blocks. */
static bool read_name(uint8_t drive, uint32_t extent)
{
	static const char tag[] = "<ComputerName>";
	unsigned matched = 0, length = 0, count, at;

	for (count = 0; count < 16; count++) {
		if (!transfer(drive, false, extent + count, 1, block))
			return false;
		for (at = 0; at < DISC_BLOCK; at++) {
			if (matched == sizeof(tag) - 1) {
				if (block[at] == '<')
					return true;
				if (length == sizeof(computer) - 1)
					return false;
				computer[length++] = block[at];
			} else if (block[at] == tag[matched]) {
				matched++;
			} else {
				matched = block[at] == tag[0];
			}
		}
	}
	return false;
}

static void set_state(uint8_t state)
{
	block[0] = state;
	if (!transfer(DISK, true, STATE_SECTOR, 1, block)) {
		say("failed: the disk cannot be written");
		halt();
	}
}

static void install(void)
{
	uint8_t drive;
	uint32_t answers;

	say("setup has begun");
	if (!find_seed(&drive)) {
		say("failed: no disc is the seed");
		halt();
	}
	answers = find_file(drive, "AUTOUNATTEND.XML");
	if (!answers || !read_name(drive, answers)) {
		say("failed: no answers on the seed");
		halt();
	}
	print("supdrv-guest: this computer is ");
	print(computer);
	print("\r\n");
	if (!transfer(DISK, true, 0, SECTORS, (const void *)LOADED_AT)) {
		say("failed: the disk cannot be written");
		halt();
	}
	set_state(FIRST_LOGON);
	say("files are copied");
	out8(RESET_PORT, 6);
	halt();
}

static void first_logon(void)
{
	say("first logon");
	say("step files");
	if (begins(computer, "FAILS")) {
		print("Access is denied.\r\n");
		say("failed: files, status 5");
		halt();
	}
	set_state(INSTALLED);
	say("installed");
	out16(POWER_PORT, 0x2000);
	halt();
}

static void serve(void)
{
	say("ready");
	for (;;)
		if (in8(COM2 + 5) & 1)
			put(COM2, in8(COM2));
}

void main(void)
{
	if (boot_drive >= FIRST_DISC)
		install();
	else if (transfer(DISK, false, STATE_SECTOR, 1, block) && block[0] == INSTALLED)
		serve();
	else
		first_logon();
	halt();
}
