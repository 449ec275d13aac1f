/* SPDX-License-Identifier: MIT */
/* The end of the system: what happened, on the console, in the way of OS/2's trap screen. */
#include "device.h"
#include "process.h"

#define FRAMES_MAX  24
#define STACK_WORDS 32

extern char kernel_text[], kernel_rodata[];

static void stop(void) __attribute__((noreturn));
static void stop(void)
{
	print("The system is stopped. Record the location number of the error.\n");
	for (;;)
		__asm__ volatile("cli\n\thlt");
}

/* "SUPDRV +0x00001234" or "OS2KRNL +0x...": what an address belongs to. */
static void print_place(const char *title, uint32_t address)
{
	const struct driver *d = driver_at(address);

	if (d) {
		char name[9] = {0};

		memcpy(name, d->header->name, 8);
		for (int i = 7; i >= 0 && name[i] == ' '; i--)
			name[i] = 0;
		print("%s %08x %s+0x%x (%s at %08x)\n", title, address, name, address - d->base,
		      d->file, d->base);
	} else if (address >= (uint32_t)kernel_text && address < (uint32_t)kernel_rodata) {
		print("%s %08x OS2KRNL+0x%x\n", title, address, address - KERNEL_BASE);
	} else {
		print("%s %08x\n", title, address);
	}
}

static bool readable(uint32_t address)
{
	return address >= KERNEL_BASE && !(address & 3) && kernel_physical(address) != NO_FRAME;
}

static void print_callers(uint32_t ebp)
{
	for (int i = 0; i < FRAMES_MAX && readable(ebp) && readable(ebp + 4); i++) {
		const uint32_t *frame = (const uint32_t *)ebp;

		if (!frame[1])
			return;
		print_place("from", frame[1]);
		if (frame[0] <= ebp)
			return;
		ebp = frame[0];
	}
}

static void print_stack(uint32_t esp)
{
	for (uint32_t i = 0; i < STACK_WORDS && readable(esp + i * 4); i++)
		print("%s%08x%s", i % 8 == 0 ? "stack " : "", *(const uint32_t *)(esp + i * 4),
		      i % 8 == 7 ? "\n" : " ");
	print("\n");
}

void trap_screen(const struct frame *f)
{
	bool user = f->cs & 3;
	uint32_t cr0, cr2, cr3, cr4, esp = user || f->vector == 8 ? f->esp : (uint32_t)&f->esp;

	__asm__ volatile("mov %%cr0, %0\n\tmov %%cr2, %1" : "=r"(cr0), "=r"(cr2));
	__asm__ volatile("mov %%cr3, %0\n\tmov %%cr4, %1" : "=r"(cr3), "=r"(cr4));
	print("\nTRAP %04x       ERRCD=%04x  ERACC=****  ERLIM=********\n", f->vector, f->error);
	print("EAX=%08x  EBX=%08x  ECX=%08x  EDX=%08x\n", f->eax, f->ebx, f->ecx, f->edx);
	print("ESI=%08x  EDI=%08x  EBP=%08x  FLG=%08x\n", f->esi, f->edi, f->ebp, f->eflags);
	print("CS:EIP=%04x:%08x  CSACC=%s  CSLIM=ffffffff\n", f->cs & 0xFFFF, f->eip,
	      user ? "00fb" : "009b");
	print("SS:ESP=%04x:%08x  SSACC=%s  SSLIM=ffffffff\n", user ? f->ss & 0xFFFF : 0x10, esp,
	      user ? "00f3" : "0093");
	print("DS=%04x  ES=%04x  FS=%04x  GS=%04x\n", f->ds & 0xFFFF, f->es & 0xFFFF,
	      f->fs & 0xFFFF, f->gs & 0xFFFF);
	print("CR0=%08x  CR2=%08x  CR3=%08x  CR4=%08x\n", cr0, cr2, cr3, cr4);
	if (current->process)
		print("process %u (%s), thread %u\n", current->process->pid, current->process->name,
		      current->tid);
	print_place("at  ", f->eip);
	if (!user) {
		print_callers(f->ebp);
		print_stack(esp);
	}
	print("The system detected an internal processing error at\nlocation ##%04x:%08x.\n",
	      f->cs & 0xFFFF, f->eip);
	stop();
}

void system_stop(const char *text, size_t length)
{
	uint32_t ebp;

	__asm__ volatile("cli\n\tmov %%ebp, %0" : "=r"(ebp));
	print("\nInternal error: ");
	console_write(text, length);
	print("\n");
	print_callers(ebp);
	stop();
}
