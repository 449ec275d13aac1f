/* SPDX-License-Identifier: MIT */
/* From the loader's world to the kernel's: page tables for the first 4 MiB, here and at 3 GiB. */
#define MULTIBOOT_MAGIC 0x1BADB002
#define MULTIBOOT_FLAGS 0x00000003 /* modules on page boundaries, a map of memory */
#define OFFSET 0xC0000000

	.section .multiboot, "a"
	.balign 4
	.long MULTIBOOT_MAGIC, MULTIBOOT_FLAGS, -(MULTIBOOT_MAGIC + MULTIBOOT_FLAGS)

	.section .boot, "ax"
	.globl _start
_start:
	cli
	cld
	mov $boot_pdpt - OFFSET, %edi
	/* Both the first GiB and the last begin with the same two big pages. */
	movl $boot_directory - OFFSET + 1, (%edi)
	movl $boot_directory - OFFSET + 1, 24(%edi)
	mov $boot_directory - OFFSET, %esi
	movl $0x083, (%esi)
	movl $0x200083, 8(%esi)
	mov %cr4, %ecx
	or $0x20, %ecx /* PAE */
	mov %ecx, %cr4
	mov %edi, %cr3
	mov %cr0, %ecx
	or $0x80010004, %ecx /* paging; ring 0 cannot write what is read-only, either; no floating point */
	mov %ecx, %cr0
	mov $boot_high, %ecx
	jmp *%ecx

	.text
boot_high:
	mov $boot_stack_end, %esp
	xor %ebp, %ebp
	push %ebx
	push %eax
	call kernel_main
1:	cli
	hlt
	jmp 1b

	.bss
	.balign 4096
boot_directory:
	.skip 4096
boot_pdpt:
	.skip 32
	.balign 16
	.skip 16384
	.globl boot_stack_end
boot_stack_end:
