/* SPDX-License-Identifier: MIT */
/* Interrupts and what the processor reports; the way back to ring 3. */
#include "process.h"
#include "system_call.h"

#define MASTER	    0x20
#define SLAVE	    0xA0
#define END	    0x20
#define IRQS	    16
#define TC_TRAP	    2
#define FAULT_WRITE 2
#define FAULT_USER  4

static void (*handlers[IRQS])(void);

void interrupts_start(void)
{
	out8(MASTER, 0x11);
	out8(SLAVE, 0x11);
	out8(MASTER + 1, VECTOR_IRQ);
	out8(SLAVE + 1, VECTOR_IRQ + 8);
	out8(MASTER + 1, 4);
	out8(SLAVE + 1, 2);
	out8(MASTER + 1, 1);
	out8(SLAVE + 1, 1);
	out8(MASTER + 1, 0xFB); /* only the other controller */
	out8(SLAVE + 1, 0xFF);
}

void irq_enable(unsigned irq, void (*handler)(void))
{
	uint16_t port = irq < 8 ? MASTER + 1 : SLAVE + 1;

	handlers[irq] = handler;
	out8(port, in8(port) & ~(1u << (irq & 7)));
}

static void irq(unsigned number)
{
	if (number >= 8)
		out8(SLAVE, END);
	out8(MASTER, END);
	if (handlers[number])
		handlers[number]();
}

/* In ring 3: the program ends. A system call's own access to the program's memory is checked
 * before. */
static void program_trap(const struct frame *f)
{
	uint32_t address;

	__asm__ volatile("mov %%cr2, %0" : "=r"(address));
	print("SYS3175: process %u (%s), thread %u: trap %04x, error %04x, address %08x, at %08x\n",
	      current->process->pid, current->process->name, current->tid, f->vector, f->error,
	      f->vector == VECTOR_PAGE ? address : 0, f->eip);
	process_kill(current->process, TC_TRAP, f->vector);
}

static bool page_fault(const struct frame *f)
{
	uint32_t address;

	__asm__ volatile("mov %%cr2, %0" : "=r"(address));
	if (!current->process || address >= KERNEL_BASE || f->error & 1)
		return false; /* what is present is not allowed */
	return page_in(&current->process->space, address & ~PAGE_MASK, f->error & FAULT_WRITE) !=
	       NO_FRAME;
}

void user_return(struct frame *f)
{
	current->entered = f;
	__asm__ volatile("cli");
	for (;;) {
		hooks_run();
		if (current->dying)
			thread_end();
		if (!reschedule)
			return;
		schedule();
	}
}

void interrupt(struct frame *f)
{
	bool user = f->cs & 3;

	if (user)
		current->entered = f;
	if (f->vector == VECTOR_SYSTEM_CALL) {
		__asm__ volatile("sti");
		f->eax = system_call(f);
	} else if (f->vector >= VECTOR_IRQ) {
		irq(f->vector - VECTOR_IRQ);
	} else if (f->vector == VECTOR_NMI) {
		trap_screen(f);
	} else if (!(f->vector == VECTOR_PAGE && page_fault(f))) {
		if (!user)
			trap_screen(f);
		program_trap(f);
	}
	if (user)
		user_return(f);
}
