/* SPDX-License-Identifier: MIT */
/*
 * What a physical device driver and the kernel of the OS/2-like guest share: device header, request
 * packets, status words. Numbers and layouts of packets are OS/2's. The boundary is not: a driver
 * of OS/2 is 16-bit code in segments, one of this guest is 32-bit code in one flat address space.
 *
 *   OS/2                                    here
 *   LX or NE module, the header begins      ELF shared object (ET_DYN) for i386 with only relative
 *   its data segment                        relocations; e_entry is the address of the header
 *   16-bit offset of the strategy routine   32-bit address
 *   far call with ES:BX -> packet           near call with EBX = linear address of the packet
 *   far return                              near return; EBX, ESI, EDI, EBP are kept
 *   16:16 pointer in a packet               32-bit linear address in the same four bytes
 *
 * Strategy runs in kernel mode, in the context of the process that asked, on its thread's kernel
 * stack (16 KiB), with interrupts on. The kernel never takes the processor away from kernel mode:
 * only who blocks, yields, or goes back to ring 3 lets others run.
 */
#ifndef OS2_DRIVER_H
#define OS2_DRIVER_H

#include <stdint.h>

/* Device attributes. */
#define DEVLEV_3       0x0180 /* bits 7 to 9: 3 */
#define DEV_CHAR       0x8000
#define DEV_OPEN_CLOSE 0x0800 /* OPEN and CLOSE are wanted */
#define DEV_HEADER_END 0xFFFFFFFFu

/* Capability strip. */
#define DEV_IOCTL2 0x00000001 /* lengths of both IOCtl packets are passed */
#define DEV_16MB   0x00000002 /* linear addresses above 16 MiB are understood */

struct os2_device_header {
	uint32_t next; /* linear address of the next header, or DEV_HEADER_END */
	uint16_t attributes;
	uint16_t reserved;
	uint32_t strategy; /* address; see OS2_STRATEGY */
	uint32_t idc;	   /* address of the entry for other drivers (AttachDD), or 0 */
	char name[8];	   /* padded with blanks */
	uint32_t capabilities;
};

/*
 * Defines `name`, to stand in a header as strategy, which calls the C function `function(packet)`;
 * it must not be static. Also for the entry for other drivers, whose caller passes what it likes in
 * EBX.
 */
#define OS2_STRATEGY(name, function)                                                               \
	__attribute__((visibility("hidden"))) void name(void);                                     \
	__attribute__((naked)) void name(void)                                                     \
	{                                                                                          \
		__asm__("push %ebp\n\tmov %esp, %ebp\n\tpush %ebx\n\tpush %ebx\n\tcall " #function \
			"\n\tadd $4, %esp\n\tpop %ebx\n\tpop %ebp\n\tret");                        \
	}

/* Commands. */
#define CMD_INIT	  0x00
#define CMD_READ	  0x04
#define CMD_WRITE	  0x08
#define CMD_OPEN	  0x0D
#define CMD_CLOSE	  0x0E
#define CMD_GENERIC_IOCTL 0x10
#define CMD_DEINSTALL	  0x14
#define CMD_INIT_COMPLETE 0x1F

/* Status word: done and error bits, and the error in the low byte. */
#define STDON			     0x0100 /* done */
#define STBUI			     0x0200 /* busy */
#define STDEV			     0x4000 /* the low byte is the device's own error */
#define STERR			     0x8000

#define STATUS_DONE		     0x0100
#define STATUS_UNKNOWN_COMMAND	     0x8103 /* ERROR_BAD_COMMAND for the caller */
#define STATUS_GENERAL_FAILURE	     0x810C /* ERROR_GEN_FAILURE */
#define STATUS_INIT_FAILED	     0x810F
#define STATUS_CHAR_CALL_INTERRUPTED 0x8111 /* ERROR_INTERRUPT */
#define STATUS_INVALID_PARAMETER     0x8113 /* ERROR_INVALID_PARAMETER */
#define STATUS_DEVICE_IN_USE	     0x8114 /* ERROR_DEVICE_IN_USE */
#define STATUS_QUIET_INIT_FAILED     0x8115

#pragma pack(push, 1)

struct os2_request {
	uint8_t length;
	uint8_t unit;
	uint8_t command;
	uint16_t status;
	uint32_t reserved;
	uint32_t queue; /* for the driver */
};

/* The parts from offset 13 on. */

struct os2_init_request {
	struct os2_request header;
	uint8_t units;
	uint32_t device_help; /* address of the entry: os2_devhelp.h */
	uint32_t arguments;   /* address of the rest of the DEVICE= line, with the file's name; ends
				 in 0 */
	uint8_t drive;
};

struct os2_init_reply {
	struct os2_request header;
	uint8_t units;
	uint16_t code_end; /* ends of the segments on OS/2; the guest does not look at them */
	uint16_t data_end;
	uint32_t parameter_block;
};

/* OPEN, CLOSE. CLOSE comes when the last handle of that system file number is gone. */
struct os2_open_request {
	struct os2_request header;
	uint16_t file_number;
};

struct os2_ioctl_request {
	struct os2_request header;
	uint8_t category;
	uint8_t function;
	uint32_t parameters; /* the caller's own addresses, not looked at by the kernel */
	uint32_t data;
	uint16_t file_number;
	uint16_t parameters_length; /* with DEV_IOCTL2. Both go back to the caller as they are on
				       return */
	uint16_t data_length;
};

/* READ and WRITE of a character device. */
struct os2_read_request {
	struct os2_request header;
	uint8_t media;
	uint32_t
	    buffer;	/* the caller's own address, not looked at by the kernel (OS/2: physical) */
	uint16_t count; /* wanted, then done */
	uint32_t start; /* how much was read or written before through this open */
	uint16_t file_number;
};

/* DEINSTALL. Status with STERR: the driver stays. */
struct os2_deinstall_request {
	struct os2_request header;
};

#pragma pack(pop)

_Static_assert(sizeof(struct os2_request) == 13, "published layout");
_Static_assert(__builtin_offsetof(struct os2_init_request, device_help) == 14, "published layout");
_Static_assert(__builtin_offsetof(struct os2_init_request, arguments) == 18, "published layout");
_Static_assert(__builtin_offsetof(struct os2_ioctl_request, parameters) == 15, "published layout");
_Static_assert(__builtin_offsetof(struct os2_ioctl_request, file_number) == 23, "published layout");
_Static_assert(__builtin_offsetof(struct os2_read_request, count) == 18, "published layout");
_Static_assert(sizeof(struct os2_ioctl_request) == 29, "published layout");

#endif
