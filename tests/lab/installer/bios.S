/* SPDX-License-Identifier: MIT */
/*
 * Where BIOS starts the stand-in: at 0x7c00, in real mode, the drive in dl. Of a disk only the first sector has been
 * loaded, of a disc everything.
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
1:	cmpb	$0xe0, %dl
	jae	2f
	movb	$0x42, %ah
	movw	$packet, %si
	int	$0x13
	jc	3f
2:	calll	run
3:	hlt
	jmp	3b

	.balign	4
packet:	.byte	16, 0
	.word	SECTORS - 1
	.word	0x7e00, 0
	.quad	1

	.org	510
	.word	0xaa55
