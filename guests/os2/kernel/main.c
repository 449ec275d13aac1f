/* SPDX-License-Identifier: MIT */
/* The start of the system: machine, memory, files, and what CONFIG.SYS names. */
#include "device.h"
#include "multiboot.h"
#include "process.h"

#define LINE_SIZE 256
#define SAYS	  "supdrv-guest: "

static void configure_driver(const char *line)
{
	char file[NAME_MAX];
	size_t n = 0;
	uint32_t error;

	while (line[n] && line[n] != ' ' && n < sizeof(file) - 1) {
		file[n] = line[n];
		n++;
	}
	file[n] = 0;
	while (line[n] == ' ')
		n++;
	error = driver_load(file, line + n);
	if (error)
		print("SYS1719: The file %s is not a driver that starts: error %u\n", file, error);
}

/* "PROGRAM ARGUMENTS": its end is told on the console, with the last argument as its name. */
static void configure_program(const char *line)
{
	char arguments[LINE_SIZE + 2] = {0}, file[NAME_MAX] = {0}, says[LINE_SIZE + 32];
	const char *last = line;
	struct process *started;
	uint32_t error;

	for (size_t i = 0; line[i]; i++) {
		arguments[i] = line[i];
		if (line[i] == ' ')
			last = line + i + 1;
	}
	for (size_t i = 0; arguments[i] && arguments[i] != ' ' && i < sizeof(file) - 1; i++)
		file[i] = arguments[i];
	if (strlen(file) < strlen(line))
		arguments[strlen(file)] = 0;
	format(says, sizeof(says), SAYS "agent ended: %s", last);
	error =
	    process_start(NULL, file, arguments, (uint32_t)strlen(line) + 2, false, says, &started);
	if (error)
		print("SYS1041: The program %s does not start: error %u\n", file, error);
}

/* What follows KEY= in a line, in whatever letters; NULL. */
static const char *value_of(const char *line, const char *key)
{
	for (; *key; key++, line++)
		if ((*line >= 'a' && *line <= 'z' ? *line - 32 : *line) != *key)
			return NULL;
	return line;
}

static void configure(void)
{
	const struct memory_file *file = memory_file_find("CONFIG.SYS");
	uint32_t at = 0;

	while (file && at < file->size) {
		char line[LINE_SIZE];
		const char *value;
		uint32_t n = 0;

		for (; at < file->size && file->bytes[at] != '\n'; at++)
			if (file->bytes[at] != '\r' && n < sizeof(line) - 1)
				line[n++] = (char)file->bytes[at];
		at++;
		line[n] = 0;
		if ((value = value_of(line, "DEVICE=")))
			configure_driver(value);
		else if ((value = value_of(line, "RUN=")))
			configure_program(value);
	}
}

/* The first thread goes on as this: it runs when nothing else does, and is never asked for. */
static void idle(void) __attribute__((noreturn));
static void idle(void)
{
	for (;;) {
		interrupts_off();
		current->event = 0;
		block((uint32_t)&idle, FOREVER, false);
	}
}

void kernel_main(uint32_t magic, uint32_t info_physical)
{
	const struct multiboot *info = seen(info_physical);
	const struct multiboot_module *module;

	console_start();
	if (magic != MULTIBOOT_LOADED)
		print("This is for a loader after the Multiboot Specification.\n");
	paging_start();
	descriptors_start();
	frames_start(info);
	interrupts_start();
	threads_start();
	clock_start();
	ports_start();
	virtio_ports_start();
	module = seen(info->module_list);
	for (uint32_t i = 0; i < info->modules; i++)
		archive_read(seen(module[i].start), seen(module[i].end));
	configure();
	print(SAYS "ready\n");
	idle();
}
