/* SPDX-License-Identifier: MIT */
/* Where programs and threads begin. */
	.text
	.globl _start
_start:
	xor %ebp, %ebp
	mov 16(%esp), %eax /* the command line */
	push %eax
	call program_begin

/* A thread: its argument is the address of what to run. */
	.globl thread_start
thread_start:
	xor %ebp, %ebp
	mov 4(%esp), %eax
	push %eax
	call thread_begin
