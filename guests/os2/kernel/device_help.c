/* SPDX-License-Identifier: MIT */
/* The helpers of drivers: os2_devhelp.h says what each one takes. */
#include "device.h"
#include "process.h"
#include "os2_devhelp.h"

static uint32_t help_block(struct help_registers *r)
{
	bool interruptible = (r->edx >> 8 & 0xFF) == 0;
	uint64_t deadline = r->ecx == UINT32_MAX ? FOREVER : clock_ns() + r->ecx * NS_PER_MS;
	uint32_t flags = interrupts_off(), why = block(r->ebx, deadline, interruptible);

	interrupts_restore(flags | 0x200); /* published: they are on afterwards */
	if (!why)
		r->eax = 0;
	return why;
}

static uint32_t help_run(struct help_registers *r)
{
	r->eax = wake(r->ebx);
	return NO_ERROR;
}

static uint32_t help_yield(struct help_registers *r)
{
	(void)r;
	yield();
	return NO_ERROR;
}

static uint32_t help_set_timer(struct help_registers *r)
{
	return timer_set(r->eax, 1) ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

static uint32_t help_tick_count(struct help_registers *r)
{
	uint16_t ticks = (uint16_t)r->ebx;

	return timer_set(r->eax, ticks ? ticks : 0x10000) ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

static uint32_t help_reset_timer(struct help_registers *r)
{
	return timer_set(r->eax, 0) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

static uint32_t help_variable(struct help_registers *r)
{
	static struct os2_global_info global;
	static struct os2_local_info local;

	switch (r->eax & 0xFF) {
	case DHGETDOSV_SYSINFOSEG:
		global.seconds = (uint32_t)(clock_of_day_ns() / 1000000000u);
		global.ms = (uint32_t)(clock_ns() / NS_PER_MS);
		r->eax = (uint32_t)&global;
		return NO_ERROR;
	case DHGETDOSV_LOCINFOSEG:
		memset(&local, 0, sizeof(local));
		if (current->process) {
			local.pid = (uint16_t)current->process->pid;
			local.parent = (uint16_t)current->process->parent_pid;
			local.tid = (uint16_t)current->tid;
		}
		r->eax = (uint32_t)&local;
		return NO_ERROR;
	default:
		return ERROR_INVALID_PARAMETER;
	}
}

static uint32_t help_verify(struct help_registers *r)
{
	bool write = r->edx >> 8 & 1;

	if (!current->process || !range_in(&current->process->space, r->edi, r->ecx, write))
		return ERROR_PROTECTION_VIOLATION;
	return NO_ERROR;
}

static uint32_t help_attach(struct help_registers *r)
{
	struct os2_attached *to = (struct os2_attached *)r->edi;

	for (const struct driver *d = drivers; d; d = d->next)
		for (const struct os2_device_header *h = d->header; h; h = header_next(h))
			if (memcmp(h->name, (const void *)r->ebx, sizeof(h->name)) == 0 && h->idc) {
				*to = (struct os2_attached){h->idc, (uint32_t)h};
				return NO_ERROR;
			}
	return ERROR_FILE_NOT_FOUND;
}

static uint32_t help_internal_error(struct help_registers *r)
{
	system_stop((const char *)r->esi, r->edi);
}

static uint32_t help_linear(struct help_registers *r)
{
	r->eax = r->esi;
	return NO_ERROR;
}

static uint32_t help_hook_make(struct help_registers *r)
{
	struct hook *h = hook_make(r->eax);

	r->eax = (uint32_t)h;
	return h ? NO_ERROR : ERROR_NOT_ENOUGH_MEMORY;
}

static uint32_t help_hook_drop(struct help_registers *r)
{
	return hook_drop(r->eax) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

static uint32_t help_hook_arm(struct help_registers *r)
{
	return hook_arm(r->ebx, r->eax) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

static uint32_t help_print(struct help_registers *r)
{
	const char *text = (const char *)r->esi;

	console_write(text, r->ecx);
	if (r->ecx && text[r->ecx - 1] != '\n')
		console_write("\n", 1);
	return NO_ERROR;
}

static uint32_t help_time(struct help_registers *r)
{
	*(uint64_t *)r->edi = clock_ns();
	return NO_ERROR;
}

static const struct help {
	uint8_t number;
	uint32_t (*run)(struct help_registers *r);
} helps[] = {
    {DevHlp_Yield, help_yield},
    {DevHlp_TCYield, help_yield},
    {DevHlp_ProcBlock, help_block},
    {DevHlp_ProcRun, help_run},
    {DevHlp_VirtToPhys, help_physical},
    {DevHlp_SetTimer, help_set_timer},
    {DevHlp_ResetTimer, help_reset_timer},
    {DevHlp_GetDosVar, help_variable},
    {DevHlp_VerifyAccess, help_verify},
    {DevHlp_AttachDD, help_attach},
    {DevHlp_InternalError, help_internal_error},
    {DevHlp_TickCount, help_tick_count},
    {DevHlp_VMLock, help_vm_lock},
    {DevHlp_VMUnlock, help_vm_unlock},
    {DevHlp_VMAlloc, help_vm_alloc},
    {DevHlp_VMFree, help_vm_free},
    {DevHlp_VMProcessToGlobal, help_process_to_global},
    {DevHlp_VMGlobalToProcess, help_global_to_process},
    {DevHlp_VirtToLin, help_linear},
    {DevHlp_LinToPageList, help_page_list},
    {DevHlp_AllocateCtxHook, help_hook_make},
    {DevHlp_FreeCtxHook, help_hook_drop},
    {DevHlp_ArmCtxHook, help_hook_arm},
    {DevHlp_GuestProtect, help_protect},
    {DevHlp_GuestPrint, help_print},
    {DevHlp_GuestTime, help_time},
};

bool device_help(struct help_registers *r)
{
	uint32_t error = ERROR_INVALID_FUNCTION;

	for (unsigned i = 0; i < sizeof(helps) / sizeof(*helps); i++)
		if (helps[i].number == (r->edx & 0xFF))
			error = helps[i].run(r);
	if (error)
		r->eax = error;
	return error;
}
