/* SPDX-License-Identifier: MIT */
/* Where the processor comes in from interrupts, system calls and drivers; the change of threads. */
#define KERNEL_DATA 0x10

	.text

/* A stub for each vector: where the processor pushes no error code, 0 stands in. */
	.macro stub vector
	.balign 16
	.if !(\vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17 || \vector == 21)
	push $0
	.endif
	push $\vector
	jmp common
	.endm

	.balign 16
	.globl vector_stubs
vector_stubs:
	.set v, 0
	.rept 48
	stub v
	.set v, v + 1
	.endr

	.globl system_call_stub
system_call_stub:
	push $0
	push $0x60
common:
	pusha
	push %ds
	push %es
	push %fs
	push %gs
	mov $KERNEL_DATA, %eax
	mov %eax, %ds
	mov %eax, %es
	cld
	push %esp
	call interrupt
	add $4, %esp
	.globl interrupt_return
interrupt_return:
	pop %gs
	pop %fs
	pop %es
	pop %ds
	popa
	add $8, %esp
	iret

/* void switch_stacks(uint32_t *save, uint32_t next) */
	.globl switch_stacks
switch_stacks:
	mov 4(%esp), %eax
	mov 8(%esp), %edx
	push %ebp
	push %ebx
	push %esi
	push %edi
	mov %esp, (%eax)
	mov %edx, %esp
	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret

/* The first thing that a new thread does. */
	.globl thread_first
thread_first:
	call thread_begun
	jmp interrupt_return

/* DevHelp. The carry flag says whether it failed. */
	.globl device_help_entry
device_help_entry:
	pusha
	mov %esp, %eax
	push %ebp
	mov %esp, %ebp
	push %eax
	call device_help
	add $8, %esp
	neg %al
	popa
	ret

/* void call_driver(uint32_t entry, uint32_t ebx, uint32_t eax) */
	.globl call_driver
call_driver:
	push %ebp
	mov %esp, %ebp
	push %ebx
	push %esi
	push %edi
	mov 12(%ebp), %ebx
	mov 16(%ebp), %eax
	call *8(%ebp)
	pop %edi
	pop %esi
	pop %ebx
	pop %ebp
	ret

/* Double fault: a task of its own, as the stack may be what is wrong. */
	.globl double_fault_task
double_fault_task:
	call double_fault
1:	hlt
	jmp 1b
