// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Device helpers by number and register. With header.c the boundary to the system: what another
 * one than the guest's wants otherwise, OS/2's own with its segments, is changed here. */
#include "devhelp.h"
#include "os2_devhelp.h"

#define PAGE	      4096u
#define NO_PAGE_LIST  0xFFFFFFFFu
#define FOR_WRITING   (1u << 8) /* in DH */
#define UNINTERRUPTED (1u << 8)

uint32_t os2_device_help;

_Static_assert(sizeof(struct dh_run) == sizeof(struct os2_page_list), "the same list");
_Static_assert(sizeof(struct dh_lock) == sizeof(struct os2_lock_handle), "the same handle");

static uint32_t call(uint8_t function, struct os2_registers *registers)
{
	return os2_device_helper(function, registers) ? 0 : registers->eax;
}

static uint32_t address_of(const volatile void *memory)
{
	return (uint32_t)(uintptr_t)memory;
}

static uint32_t whole_pages(uint32_t size)
{
	return (size + PAGE - 1) & ~(PAGE - 1);
}

uint32_t dh_memory_get(uint32_t size, bool contiguous, void **memory)
{
	struct os2_registers r = {.eax = VMDHA_FIXED | (contiguous ? VMDHA_CONTIG : 0),
				  .ecx = whole_pages(size),
				  .edi = VMDHA_NOPHYSADDR};
	uint32_t error = call(DevHlp_VMAlloc, &r);

	*memory = error ? NULL : (void *)(uintptr_t)r.eax;
	return error;
}

uint32_t dh_memory_release(uintptr_t address)
{
	struct os2_registers r = {.eax = (uint32_t)address};

	return call(DevHlp_VMFree, &r);
}

uint32_t dh_memory_share(void *memory, uint32_t size, bool writable, uintptr_t *address)
{
	struct os2_registers r = {.eax = writable ? VMDHGP_WRITE : 0,
				  .ebx = address_of(memory),
				  .ecx = whole_pages(size)};
	uint32_t error = call(DevHlp_VMGlobalToProcess, &r);

	*address = r.eax;
	return error;
}

uint32_t dh_memory_protect(void *memory, uint32_t size, bool executable)
{
	struct os2_registers r = {.eax = executable ? GUEST_PROT_EXECUTE : GUEST_PROT_WRITE,
				  .ebx = address_of(memory),
				  .ecx = whole_pages(size)};

	return call(DevHlp_GuestProtect, &r);
}

static uint32_t access_check(uintptr_t address, uint32_t size, bool writable)
{
	struct os2_registers r = {
	    .edi = (uint32_t)address, .ecx = size, .edx = writable ? FOR_WRITING : 0};

	return call(DevHlp_VerifyAccess, &r);
}

uint32_t dh_pages_hold(uintptr_t address, uint32_t size, bool writable, bool long_term,
		       struct dh_lock *lock, struct dh_run *runs, uint32_t *count)
{
	struct os2_registers r = {.eax = VMDHL_VERIFY | (writable ? VMDHL_WRITE : 0) |
					 (long_term ? VMDHL_LONG : 0),
				  .ebx = (uint32_t)address,
				  .ecx = size,
				  .esi = address_of(lock),
				  .edi = runs ? address_of(runs) : NO_PAGE_LIST};
	uint32_t error = access_check(address, size, writable);

	if (!error)
		error = call(DevHlp_VMLock, &r);
	if (!error && runs)
		*count = r.eax;
	return error;
}

void dh_pages_let_go(struct dh_lock *lock)
{
	struct os2_registers r = {.esi = address_of(lock)};

	if (call(DevHlp_VMUnlock, &r))
		dh_stop("supdrv: pages that are not held cannot be let go");
}

uint32_t dh_pages_find(const void *memory, uint32_t size, struct dh_run *runs, uint32_t *count)
{
	struct os2_registers r = {
	    .eax = address_of(memory), .ecx = whole_pages(size), .edi = address_of(runs)};
	uint32_t error = call(DevHlp_LinToPageList, &r);

	*count = r.eax;
	return error;
}

uint32_t dh_linear(uint32_t pointer, uintptr_t *address)
{
	struct os2_registers r = {.esi = pointer};
	uint32_t error = call(DevHlp_VirtToLin, &r);

	*address = r.eax;
	return error;
}

static const volatile void *variable(uint8_t index)
{
	struct os2_registers r = {.eax = index};

	return call(DevHlp_GetDosVar, &r) ? NULL : (const volatile void *)(uintptr_t)r.eax;
}

uint32_t dh_process(void)
{
	const volatile struct os2_local_info *info = variable(DHGETDOSV_LOCINFOSEG);

	return info->pid;
}

/* Process and thread have numbers below 65536, and the first of them is 1. */
void *dh_thread(void)
{
	const volatile struct os2_local_info *info = variable(DHGETDOSV_LOCINFOSEG);

	return (void *)(uintptr_t)((uint32_t)info->pid << 16 | info->tid);
}

uint64_t dh_nanoseconds(void)
{
	uint64_t time = 0;
	struct os2_registers r = {.edi = address_of(&time)};

	call(DevHlp_GuestTime, &r);
	return time;
}

uint32_t dh_ticks_start(dh_tick *handler)
{
	struct os2_registers r = {.eax = (uint32_t)(uintptr_t)handler};

	return call(DevHlp_SetTimer, &r);
}

void dh_ticks_stop(dh_tick *handler)
{
	struct os2_registers r = {.eax = (uint32_t)(uintptr_t)handler};

	call(DevHlp_ResetTimer, &r);
}

bool dh_block(const void *id, uint32_t milliseconds, bool interruptible)
{
	struct os2_registers r = {
	    .ebx = address_of(id), .ecx = milliseconds, .edx = interruptible ? 0 : UNINTERRUPTED};

	return !call(DevHlp_ProcBlock, &r);
}

void dh_wake(const void *id)
{
	struct os2_registers r = {.ebx = address_of(id)};

	call(DevHlp_ProcRun, &r);
}

void dh_yield(void)
{
	struct os2_registers r = {0};

	call(DevHlp_Yield, &r);
}

void dh_message(const char *text)
{
	struct os2_registers r = {.esi = address_of(text), .ecx = (uint32_t)strlen(text)};

	call(DevHlp_GuestPrint, &r);
}

_Noreturn void dh_stop(const char *text)
{
	struct os2_registers r = {.esi = address_of(text), .edi = (uint32_t)strlen(text)};

	call(DevHlp_InternalError, &r);
	for (;;)
		__asm__ volatile("cli\n\thlt");
}
