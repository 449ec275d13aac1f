/* SPDX-License-Identifier: MIT */
/*
 * Stands in for an installer of Windows, for a machine with BIOS. It is started twice from a disc or a disk, loaded at
 * 0x7c00 with the drive in dl, and calls the C part below it.
 */
	.code16
	.section .start, "ax"
	.globl	start
start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$0x7c00, %esp
	sti
	cld
	ljmp	$0, $1f
1:	movzbl	%dl, %eax
	movl	%eax, boot_drive
	/* The firmware loads one sector of a disk; the rest lies behind it. A disc is loaded whole. */
	cmpb	$0xe0, %dl
	jae	2f
	movb	$0x42, %ah
	movw	$packet, %si
	int	$0x13
	jc	3f
2:	calll	main
3:	hlt
	jmp	3b

	.balign	4
packet:	.byte	16, 0
	.word	SECTORS - 1
	.word	0x7e00, 0
	.quad	1

	.globl	boot_drive
boot_drive:
	.long	0

	.org	510
	.word	0xaa55
