/* SPDX-License-Identifier: MIT */
/* Segments (flat), the task segments, the table of interrupts. */
#include "kernel.h"

#define SEGMENTS	    7
#define TASK_SELECTOR	    0x28
#define DOUBLE_FAULT_TASK   0x30
#define VECTORS		    (VECTOR_SYSTEM_CALL + 1)
#define STUB_SIZE	    16
#define GATE_INTERRUPT	    0x8E
#define GATE_INTERRUPT_USER 0xEE
#define GATE_TASK	    0x85
#define DOUBLE_FAULT	    8

struct task {
	uint32_t link;
	uint32_t esp0, ss0;
	uint32_t esp1, ss1, esp2, ss2;
	uint32_t cr3, eip, eflags;
	uint32_t eax, ecx, edx, ebx, esp, ebp, esi, edi;
	uint32_t es, cs, ss, ds, fs, gs, ldt;
	uint32_t io_map;
};

struct table {
	uint16_t limit;
	uint32_t base;
} __attribute__((packed));

static uint64_t segments[SEGMENTS];
static uint64_t vectors[VECTORS];
static uint8_t double_fault_stack[4096];
static struct task task, double_fault_state;

static uint64_t segment(uint32_t base, uint32_t limit, uint8_t access, uint8_t flags)
{
	return (uint64_t)(limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 |
	       (uint64_t)access << 40 | (uint64_t)(limit >> 16 & 0xF) << 48 |
	       (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static uint64_t gate(uint32_t address, uint16_t selector, uint8_t type)
{
	return (uint64_t)(address & 0xFFFF) | (uint64_t)selector << 16 | (uint64_t)type << 40 |
	       (uint64_t)(address >> 16) << 48;
}

void kernel_stack_set(uint32_t top)
{
	task.esp0 = top;
}

static void tasks_start(void)
{
	uint32_t cr3;

	__asm__ volatile("mov %%cr3, %0" : "=r"(cr3));
	task.ss0 = 0x10;
	task.io_map = sizeof(task) << 16;
	double_fault_state.cr3 = cr3;
	double_fault_state.eip = (uint32_t)double_fault_task;
	double_fault_state.eflags = 2;
	double_fault_state.esp = (uint32_t)double_fault_stack + sizeof(double_fault_stack);
	double_fault_state.cs = 0x08;
	double_fault_state.ss = double_fault_state.ds = double_fault_state.es = 0x10;
	double_fault_state.io_map = sizeof(task) << 16;
}

/* Called with the page tables of the kernel itself at work. */
void descriptors_start(void)
{
	struct table gdt = {sizeof(segments) - 1, (uint32_t)segments};
	struct table idt = {sizeof(vectors) - 1, (uint32_t)vectors};

	tasks_start();
	segments[1] = segment(0, 0xFFFFF, 0x9B, 0xC);
	segments[2] = segment(0, 0xFFFFF, 0x93, 0xC);
	segments[3] = segment(0, 0xFFFFF, 0xFB, 0xC);
	segments[4] = segment(0, 0xFFFFF, 0xF3, 0xC);
	segments[5] = segment((uint32_t)&task, sizeof(task) - 1, 0x89, 0);
	segments[6] = segment((uint32_t)&double_fault_state, sizeof(task) - 1, 0x89, 0);
	for (unsigned i = 0; i < VECTOR_IRQ + 16; i++)
		vectors[i] = gate((uint32_t)vector_stubs + i * STUB_SIZE, 0x08, GATE_INTERRUPT);
	vectors[DOUBLE_FAULT] = gate(0, DOUBLE_FAULT_TASK, GATE_TASK);
	vectors[VECTOR_SYSTEM_CALL] = gate((uint32_t)system_call_stub, 0x08, GATE_INTERRUPT_USER);
	__asm__ volatile("lgdt %0\n\t"
			 "lidt %1\n\t"
			 "ljmp $0x08, $1f\n"
			 "1:\tmov %2, %%ds\n\t"
			 "mov %2, %%es\n\t"
			 "mov %2, %%ss\n\t"
			 "mov %3, %%fs\n\t"
			 "mov %3, %%gs\n\t"
			 "ltr %w4" ::"m"(gdt),
			 "m"(idt), "r"(0x10), "r"(0), "r"(TASK_SELECTOR)
			 : "memory");
}

/* The state of what failed is in the other task. */
void double_fault(void)
{
	struct frame frame = {0};

	frame.vector = DOUBLE_FAULT;
	frame.eip = task.eip;
	frame.cs = task.cs;
	frame.eflags = task.eflags;
	frame.eax = task.eax;
	frame.ebx = task.ebx;
	frame.ecx = task.ecx;
	frame.edx = task.edx;
	frame.esi = task.esi;
	frame.edi = task.edi;
	frame.ebp = task.ebp;
	frame.esp = task.esp;
	frame.ss = task.ss;
	frame.ds = task.ds;
	frame.es = task.es;
	trap_screen(&frame);
}
