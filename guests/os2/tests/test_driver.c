/* SPDX-License-Identifier: MIT */
/* A driver for the tests of the guest: every helper, and every way to fail. */
#include "test_driver.h"

#include "os2_devhelp.h"
#include "os2_driver.h"
#include "os2_errors.h"

#define BLOCKED 0x7E57u

uint32_t os2_device_help;

static uint32_t opens, closes, ticks, fifths, hook, hook_runs, locked_entries;
static struct os2_lock_handle lock;
static struct os2_page_list list[64];

void strategy(struct os2_request *request);
OS2_STRATEGY(strategy_entry, strategy)

struct os2_device_header test_header __attribute__((section(".data"), visibility("hidden"))) = {
    .next = DEV_HEADER_END,
    .attributes = DEV_CHAR | DEV_OPEN_CLOSE | DEVLEV_3,
    .strategy = (uint32_t)strategy_entry,
    .name = {'T', 'E', 'S', 'T', '$', ' ', ' ', ' '},
    .capabilities = DEV_IOCTL2 | DEV_16MB,
};

static void tick(void)
{
	ticks++;
}

static void fifth(void)
{
	fifths++;
}

static void hooked(void)
{
	hook_runs++;
}

/* The registers of a helper: eax, ebx, ecx, edx (DH), esi, edi. */
static uint32_t help(uint8_t function, struct os2_registers r, uint32_t *result)
{
	bool done = os2_device_helper(function, &r);

	if (result)
		*result = r.eax;
	return done ? NO_ERROR : r.eax;
}

static uint32_t start(void)
{
	uint32_t error = help(DevHlp_SetTimer, (struct os2_registers){.eax = (uint32_t)tick}, 0);

	if (!error)
		error = help(DevHlp_TickCount,
			     (struct os2_registers){.eax = (uint32_t)fifth, .ebx = 5}, 0);
	if (!error)
		error =
		    help(DevHlp_AllocateCtxHook,
			 (struct os2_registers){.eax = (uint32_t)hooked, .ebx = 0xFFFFFFFF}, &hook);
	return error;
}

static uint16_t init(const struct os2_init_request *request)
{
	const char *arguments = (const char *)request->arguments;

	os2_device_help = request->device_help;
	for (; *arguments; arguments++)
		if (arguments[0] == '/' && arguments[1] == 'F')
			return STATUS_INIT_FAILED;
	return start() ? STATUS_INIT_FAILED : STATUS_DONE;
}

static uint16_t local(unsigned word)
{
	uint32_t info;

	help(DevHlp_GetDosVar, (struct os2_registers){.eax = DHGETDOSV_LOCINFOSEG}, &info);
	return ((const uint16_t *)info)[word];
}

static bool verified(uint32_t address, uint32_t length, bool write)
{
	return !help(
	    DevHlp_VerifyAccess,
	    (struct os2_registers){.edi = address, .ecx = length, .edx = write ? 0x100 : 0}, 0);
}

static uint32_t map(const uint32_t *p, uint32_t *d)
{
	uint32_t physical = 0, linear, error, size = p[0] * 4096;
	struct os2_registers alloc = {
	    .eax = VMDHA_FIXED | VMDHA_CONTIG, .ecx = size, .edi = (uint32_t)&physical};

	error = help(DevHlp_VMAlloc, alloc, &linear);
	if (error)
		return error;
	for (uint32_t i = 0; i < size / 4; i++)
		((uint32_t *)linear)[i] = i;
	error = help(DevHlp_VMGlobalToProcess,
		     (struct os2_registers){.eax = p[1], .ebx = linear, .ecx = size}, &d[0]);
	d[1] = physical;
	/* The process keeps the pages. */
	help(DevHlp_VMFree, (struct os2_registers){.eax = linear}, 0);
	return error;
}

static uint32_t executed(void)
{
	static const uint8_t code[] = {0xB8, 42, 0, 0, 0, 0xC3}; /* mov $42, %eax; ret */
	uint32_t linear, result = 0;

	if (help(DevHlp_VMAlloc,
		 (struct os2_registers){.eax = VMDHA_FIXED, .ecx = 4096, .edi = 0xFFFFFFFF},
		 &linear))
		return 0;
	for (unsigned i = 0; i < sizeof(code); i++)
		((uint8_t *)linear)[i] = code[i];
	if (!help(DevHlp_GuestProtect,
		  (struct os2_registers){.eax = GUEST_PROT_EXECUTE, .ebx = linear, .ecx = 4096}, 0))
		result = ((uint32_t(*)(void))linear)();
	help(DevHlp_VMFree, (struct os2_registers){.eax = linear}, 0);
	return result;
}

static uint32_t seen_globally(uint32_t address)
{
	uint32_t linear, value;

	if (help(DevHlp_VMProcessToGlobal,
		 (struct os2_registers){.eax = VMDHPG_WRITE, .ebx = address, .ecx = 4}, &linear))
		return 0xFFFFFFFF;
	value = *(uint32_t *)linear;
	help(DevHlp_VMFree, (struct os2_registers){.eax = linear}, 0);
	return value;
}

static void lock_range(const uint32_t *p, uint32_t *d)
{
	d[0] = help(DevHlp_VMLock,
		    (struct os2_registers){.eax = p[2],
					   .ebx = p[0],
					   .ecx = p[1],
					   .edi = (uint32_t)list,
					   .esi = (uint32_t)&lock},
		    &locked_entries);
	d[1] = d[0] ? 0 : locked_entries;
	d[2] = list[0].physical;
	d[3] = list[0].size;
}

static uint32_t overflow(volatile uint32_t *above)
{
	volatile uint32_t room[256];

	room[0] = *above + 1;
	return room[0] ? overflow(room) + room[255] : 0;
}

static void spin(bool off)
{
	if (off)
		__asm__ volatile("cli");
	for (;;)
		__asm__ volatile("pause");
}

static void end_of_system(uint8_t function, const uint32_t *p)
{
	static const uint8_t data_code[] = {0xC3};
	static const char text[] = "the test driver wants it so";
	uint32_t first = 0;

	switch (function) {
	case TEST_NULL:
		*(volatile uint32_t *)first = 1;
		break;
	case TEST_READ_ONLY:
		*(volatile uint32_t *)p[0] = 1;
		break;
	case TEST_RUN_DATA:
		((void (*)(void))(uint32_t)data_code)();
		break;
	case TEST_OVERFLOW:
		overflow(&first);
		break;
	case TEST_SPIN:
	case TEST_SPIN_OFF:
		spin(function == TEST_SPIN_OFF);
		break;
	case TEST_STOP:
		help(DevHlp_InternalError,
		     (struct os2_registers){.esi = (uint32_t)text, .edi = sizeof(text) - 1}, 0);
		break;
	default:
		break;
	}
}

static uint16_t memory_request(uint8_t function, const uint32_t *p, uint32_t *d)
{
	switch (function) {
	case TEST_MAP:
		return map(p, d) ? STATUS_GENERAL_FAILURE : STATUS_DONE;
	case TEST_UNMAP:
		return help(DevHlp_VMFree, (struct os2_registers){.eax = p[0]}, 0)
			   ? STATUS_GENERAL_FAILURE
			   : STATUS_DONE;
	case TEST_LOCK:
		lock_range(p, d);
		return STATUS_DONE;
	case TEST_UNLOCK:
		d[0] = help(DevHlp_VMUnlock, (struct os2_registers){.esi = (uint32_t)&lock}, 0);
		return STATUS_DONE;
	case TEST_EXECUTE:
		d[0] = executed();
		return STATUS_DONE;
	case TEST_GLOBAL:
		d[0] = seen_globally(p[0]);
		return STATUS_DONE;
	case TEST_VERIFY:
		d[0] = verified(p[0], p[1], p[2]) ? NO_ERROR : ERROR_PROTECTION_VIOLATION;
		return STATUS_DONE;
	default:
		end_of_system(function, p);
		return STATUS_UNKNOWN_COMMAND;
	}
}

static uint16_t control(struct os2_ioctl_request *r)
{
	const uint32_t *p = (const uint32_t *)r->parameters;
	uint32_t *d = (uint32_t *)r->data;
	uint16_t number = r->file_number;

	if (r->category != TEST_CATEGORY)
		return STATUS_UNKNOWN_COMMAND;
	if ((p && !verified(r->parameters, r->parameters_length, false)) ||
	    (d && !verified(r->data, r->data_length, true)))
		return STATUS_INVALID_PARAMETER;
	switch (r->function) {
	case TEST_ECHO:
		for (unsigned i = 0; i < r->data_length / 4u; i++)
			d[i]++;
		r->parameters_length = 0;
		return STATUS_DONE;
	case TEST_STATUS:
		return (uint16_t)p[0];
	case TEST_BLOCK:
		help(DevHlp_ProcBlock,
		     (struct os2_registers){.ebx = BLOCKED, .ecx = p[0], .edx = p[1] << 8}, &d[0]);
		return STATUS_DONE;
	case TEST_RUN:
		help(DevHlp_ProcRun, (struct os2_registers){.ebx = BLOCKED}, &d[0]);
		return STATUS_DONE;
	case TEST_TICKS:
		d[0] = ticks;
		d[1] = fifths;
		return STATUS_DONE;
	case TEST_COUNTS:
		d[0] = opens;
		d[1] = closes;
		d[2] = local(0);
		d[3] = number;
		return STATUS_DONE;
	case TEST_HOOK:
		d[0] = hook_runs;
		return help(DevHlp_ArmCtxHook,
			    (struct os2_registers){.eax = 1, .ebx = hook, .ecx = 0xFFFFFFFF}, 0)
			   ? STATUS_GENERAL_FAILURE
			   : STATUS_DONE;
	case TEST_UNKNOWN_HELP:
		d[0] = help(0xEE, (struct os2_registers){0}, 0);
		return STATUS_DONE;
	default:
		return memory_request(r->function, p, d);
	}
}

static uint16_t deinstall(void)
{
	help(DevHlp_ResetTimer, (struct os2_registers){.eax = (uint32_t)tick}, 0);
	help(DevHlp_FreeCtxHook, (struct os2_registers){.eax = hook}, 0);
	return STATUS_DONE; /* the other timer is left for the kernel to find */
}

void strategy(struct os2_request *request)
{
	switch (request->command) {
	case CMD_INIT:
		request->status = init((const struct os2_init_request *)request);
		break;
	case CMD_OPEN:
		opens++;
		request->status = STATUS_DONE;
		break;
	case CMD_CLOSE:
		closes++;
		request->status = STATUS_DONE;
		break;
	case CMD_GENERIC_IOCTL:
		request->status = control((struct os2_ioctl_request *)request);
		break;
	case CMD_DEINSTALL:
		request->status = deinstall();
		break;
	default:
		request->status = STATUS_UNKNOWN_COMMAND;
	}
}
