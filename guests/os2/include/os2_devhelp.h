/* SPDX-License-Identifier: MIT */
/*
 * Device helpers of the OS/2-like guest: function numbers are OS/2's, in DL, and so is the use of
 * registers, but where OS/2 has a 16:16 pointer in two registers there is a linear address in one:
 *
 *   call [device_help]   near call, DL = function
 *   carry clear          done; results in the registers named below
 *   carry set            EAX = error
 *
 * All other registers are kept. The address of the entry comes in the INIT packet; the driver keeps
 * it in os2_device_help.
 */
#ifndef OS2_DEVHELP_H
#define OS2_DEVHELP_H

#include <stdbool.h>
#include <stdint.h>

#define DevHlp_Yield		 0x02
#define DevHlp_TCYield		 0x03
#define DevHlp_ProcBlock	 0x04
#define DevHlp_ProcRun		 0x05
#define DevHlp_VirtToPhys	 0x16
#define DevHlp_SetTimer		 0x1D
#define DevHlp_ResetTimer	 0x1E
#define DevHlp_GetDosVar	 0x24
#define DevHlp_VerifyAccess	 0x27
#define DevHlp_AttachDD		 0x2A
#define DevHlp_InternalError	 0x2B
#define DevHlp_TickCount	 0x33
#define DevHlp_VMLock		 0x55
#define DevHlp_VMUnlock		 0x56
#define DevHlp_VMAlloc		 0x57
#define DevHlp_VMFree		 0x58
#define DevHlp_VMProcessToGlobal 0x59
#define DevHlp_VMGlobalToProcess 0x5A
#define DevHlp_VirtToLin	 0x5B
#define DevHlp_LinToPageList	 0x5E
#define DevHlp_AllocateCtxHook	 0x63
#define DevHlp_FreeCtxHook	 0x64
#define DevHlp_ArmCtxHook	 0x65

/*
 * Yield, TCYield      others run that want to
 * ProcBlock           EBX event, ECX ms or -1, DH 0: interruptible, 1: not -> EAX 0, or a WAIT_
 * error ProcRun             EBX event -> EAX threads woken. Also at interrupt time VirtToPhys ESI
 * linear -> EAX physical SetTimer            EAX handler, called at each tick (100 a second) at
 * interrupt time TickCount           EAX handler, BX ticks between two calls; changes what is
 * there, too ResetTimer          EAX handler GetDosVar           AL a DHGETDOSV_ index -> EAX
 * address VerifyAccess        EDI linear, ECX length, DH 0: read, 1: read and write. User memory
 * only AttachDD            EBX name of 8 characters, EDI -> struct os2_attached InternalError ESI
 * text, EDI length: the system stops VMLock              EAX VMDHL_, EBX linear, ECX length, EDI
 * page list or -1, ESI handle -> EAX entries VMUnlock            ESI handle VMAlloc             EAX
 * VMDHA_, ECX size, EDI -> physical address in or out, or -1 -> EAX linear. The memory is not
 * cleared VMFree              EAX linear: memory, or a mapping, in the process that has it
 * VMProcessToGlobal   EAX VMDHPG_, EBX linear, ECX length -> EAX linear
 * VMGlobalToProcess   EAX VMDHGP_, EBX linear, ECX length -> EAX linear, in this process
 * VirtToLin           ESI -> EAX, the same: there is one flat segment
 * LinToPageList       EAX linear, ECX size, EDI page list -> EAX entries
 * AllocateCtxHook     EAX handler, EBX -1 -> EAX handle
 * FreeCtxHook         EAX handle
 * ArmCtxHook          EAX value, EBX handle, ECX -1: the handler gets it in EAX when kernel mode is
 * next left
 */

/*
 * The guest's own; no such number is OS/2's.
 *
 * GuestProtect        EAX GUEST_PROT_, EBX linear of VMAlloc, ECX size. On OS/2 all memory is
 * executable GuestPrint          ESI text, ECX length: to the console, as a line GuestTime EDI ->
 * uint64_t: nanoseconds since boot. Also at interrupt time
 */
#define DevHlp_GuestProtect  0xF0
#define DevHlp_GuestPrint    0xF1
#define DevHlp_GuestTime     0xF2

#define VMDHL_NOBLOCK	     0x0001
#define VMDHL_CONTIGUOUS     0x0002
#define VMDHL_16M	     0x0004
#define VMDHL_WRITE	     0x0008 /* the range must be writable */
#define VMDHL_LONG	     0x0010
#define VMDHL_VERIFY	     0x0020

#define VMDHA_16M	     0x0001
#define VMDHA_FIXED	     0x0002
#define VMDHA_SWAP	     0x0004
#define VMDHA_CONTIG	     0x0008
#define VMDHA_PHYS	     0x0010 /* maps physical memory that is there, at *EDI */
#define VMDHA_PROCESS	     0x0020 /* not in the guest */
#define VMDHA_SGSCONT	     0x0040
#define VMDHA_RESERVE	     0x0100 /* not in the guest */
#define VMDHA_USEHIGHMEM     0x0800
#define VMDHA_NOPHYSADDR     0xFFFFFFFFu

#define VMDHPG_WRITE	     0x0001
#define VMDHGP_WRITE	     0x0001 /* without: the process can only read */
#define VMDHGP_SELMAP	     0x0002 /* no effect */

#define DHGETDOSV_SYSINFOSEG 1
#define DHGETDOSV_LOCINFOSEG 2

#define GUEST_PROT_WRITE     1
#define GUEST_PROT_EXECUTE   2

#define OS2_TICK_MS	     10

#pragma pack(push, 1)

struct os2_page_list {
	uint32_t physical;
	uint32_t size;
};

struct os2_lock_handle {
	uint8_t opaque[12];
};

/* The beginning of what DHGETDOSV_SYSINFOSEG and DHGETDOSV_LOCINFOSEG point to; both are of now. */
struct os2_global_info {
	uint32_t seconds; /* since 1970 */
	uint32_t ms;	  /* since boot */
};

struct os2_local_info {
	uint16_t pid;
	uint16_t parent;
	uint16_t priority;
	uint16_t tid;
};

struct os2_attached {
	uint32_t idc; /* address of the other driver's entry */
	uint32_t header;
};

#pragma pack(pop)

/* The driver's own variable: what the INIT packet says. */
extern uint32_t os2_device_help;

struct os2_registers {
	uint32_t eax, ebx, ecx, edx, esi, edi;
};

/* Calls a helper with these registers, and leaves its results there. False: r->eax is the error. */
static inline bool os2_device_helper(uint8_t function, struct os2_registers *r)
{
	uint32_t entry = os2_device_help;
	bool carry;

	r->edx = (r->edx & ~0xFFu) | function;
	__asm__ volatile("push %%ebx\n\t"
			 "push %%ebp\n\t"
			 "push %%eax\n\t" /* the registers' address */
			 "push %%edx\n\t" /* the entry's */
			 "mov 4(%%eax), %%ebx\n\t"
			 "mov 8(%%eax), %%ecx\n\t"
			 "mov 12(%%eax), %%edx\n\t"
			 "mov 16(%%eax), %%esi\n\t"
			 "mov 20(%%eax), %%edi\n\t"
			 "mov (%%eax), %%eax\n\t"
			 "call *(%%esp)\n\t"
			 "lea 4(%%esp), %%esp\n\t"
			 "pop %%ebp\n\t"
			 "mov %%eax, (%%ebp)\n\t"
			 "mov %%ecx, 8(%%ebp)\n\t"
			 "mov %%ebx, 4(%%ebp)\n\t"
			 "pop %%ebp\n\t"
			 "pop %%ebx\n\t"
			 "setc %%al"
			 : "=a"(carry), "+d"(entry)
			 : "a"(r)
			 : "ecx", "esi", "edi", "memory", "cc");
	return !carry;
}

#endif
