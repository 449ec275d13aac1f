/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * The request interface of the driver, version 3.1: numbers and layouts for clients and drivers.
 *
 * One ABI is chosen at compile time from the target: Linux, Windows, BSD or OS/2, x86 or AMD64.
 * A freestanding build names its OS with one of SUPDRV_OS_LINUX, SUPDRV_OS_WINDOWS, SUPDRV_OS_BSD
 * and SUPDRV_OS_OS2. A kernel build that has no <stdint.h> provides the fixed-width types, size_t
 * and bool itself and defines SUPDRV_TYPES_PROVIDED.
 */
#ifndef SUPDRV_IOC_H
#define SUPDRV_IOC_H

#ifndef SUPDRV_TYPES_PROVIDED
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#if !defined(SUPDRV_OS_LINUX) && !defined(SUPDRV_OS_WINDOWS) && !defined(SUPDRV_OS_BSD) &&         \
    !defined(SUPDRV_OS_OS2)
#if defined(_WIN32)
#define SUPDRV_OS_WINDOWS 1
#elif defined(__OS2__)
#define SUPDRV_OS_OS2 1
#elif defined(__linux__)
#define SUPDRV_OS_LINUX 1
#elif defined(__FreeBSD__) || defined(__NetBSD__) || defined(__OpenBSD__) || defined(__APPLE__)
#define SUPDRV_OS_BSD 1
#else
#error "unknown target OS: define one of the SUPDRV_OS_ macros"
#endif
#endif

/* Keeps the numbers of 64-bit and 32-bit clients apart. */
#if defined(__x86_64__) || defined(_M_X64)
#define SUP_IOCTL_FLAG 128
#elif defined(__i386__) || defined(_M_IX86)
#define SUP_IOCTL_FLAG 0
#else
#error "unknown target architecture: only x86 and AMD64 are defined"
#endif

/*
 * Compare numbers as whole 32-bit words. The fields of a word do not mean what they usually mean on
 * every ABI: Linux on x86 has its own type letter, and its fast numbers carry a direction without a
 * size. The size field of a slow request counts the argument block, not the request.
 */
#define SUPDRV_IOC_NR(Function) ((uint32_t)(Function) | SUP_IOCTL_FLAG)
#define SUPDRV_IOC_BLOCK_SIZE	((uint32_t)sizeof(SUPDRVIOCTLDATA) << 16)
#if defined(SUPDRV_OS_WINDOWS)
/* Device type 0x22, write access, METHOD_BUFFERED (0) or METHOD_NEITHER (3). */
#define SUP_CTL_CODE(Function)	    ((uint32_t)0x00228000 | (SUPDRV_IOC_NR(Function) << 2))
#define SUP_CTL_CODE_FAST(Function) (SUP_CTL_CODE(Function) | 3)
#elif defined(SUPDRV_OS_OS2)
/* The category travels beside the function. There are no fast requests in this ABI. */
#define SUP_CTL_CATEGORY       ((uint16_t)0x56)
#define SUP_CTL_CODE(Function) ((uint16_t)(Function))
#elif defined(SUPDRV_OS_LINUX) && SUP_IOCTL_FLAG == 0
#define SUP_CTL_CODE(Function)                                                                     \
	((uint32_t)0xC0002200 | SUPDRV_IOC_BLOCK_SIZE | SUPDRV_IOC_NR(Function))
#define SUP_CTL_CODE_FAST(Function) ((uint32_t)0xC0002200 | SUPDRV_IOC_NR(Function))
#else
#define SUP_CTL_CODE(Function)                                                                     \
	((uint32_t)0xC0005600 | SUPDRV_IOC_BLOCK_SIZE | SUPDRV_IOC_NR(Function))
#if defined(SUPDRV_OS_LINUX)
#define SUP_CTL_CODE_FAST(Function) ((uint32_t)0x00005600 | SUPDRV_IOC_NR(Function))
#else
#define SUP_CTL_CODE_FAST(Function) ((uint32_t)0x20005600 | SUPDRV_IOC_NR(Function))
#endif
#endif

#define SUP_IOCTL_COOKIE	  SUP_CTL_CODE(1)
#define SUP_IOCTL_QUERY_FUNCS	  SUP_CTL_CODE(2)
#define SUP_IOCTL_IDT_INSTALL	  SUP_CTL_CODE(3)
#define SUP_IOCTL_IDT_REMOVE	  SUP_CTL_CODE(4)
#define SUP_IOCTL_PINPAGES	  SUP_CTL_CODE(5)
#define SUP_IOCTL_UNPINPAGES	  SUP_CTL_CODE(6)
#define SUP_IOCTL_CONT_ALLOC	  SUP_CTL_CODE(7)
#define SUP_IOCTL_CONT_FREE	  SUP_CTL_CODE(8)
#define SUP_IOCTL_LDR_OPEN	  SUP_CTL_CODE(9)
#define SUP_IOCTL_LDR_LOAD	  SUP_CTL_CODE(10)
#define SUP_IOCTL_LDR_FREE	  SUP_CTL_CODE(11)
#define SUP_IOCTL_LDR_GET_SYMBOL  SUP_CTL_CODE(12)
#define SUP_IOCTL_CALL_VMMR0	  SUP_CTL_CODE(14)
#define SUP_IOCTL_GET_PAGING_MODE SUP_CTL_CODE(15)
#define SUP_IOCTL_LOW_ALLOC	  SUP_CTL_CODE(16)
#define SUP_IOCTL_LOW_FREE	  SUP_CTL_CODE(17)
#define SUP_IOCTL_GIP_MAP	  SUP_CTL_CODE(18)
#define SUP_IOCTL_GIP_UNMAP	  SUP_CTL_CODE(19)
#define SUP_IOCTL_SET_VM_FOR_FAST SUP_CTL_CODE(20)
#ifdef SUP_CTL_CODE_FAST
#define SUP_IOCTL_FAST_DO_RAW_RUN   SUP_CTL_CODE_FAST(64)
#define SUP_IOCTL_FAST_DO_HWACC_RUN SUP_CTL_CODE_FAST(65)
#define SUP_IOCTL_FAST_DO_NOP	    SUP_CTL_CODE_FAST(66)
#endif

#define SUPCOOKIE_MAGIC		"The Magic Word!"
#define SUPDRVIOC_VERSION	0x00030001
#define SUPGLOBALINFOPAGE_MAGIC 0xBEEF0001

/* Ring-0 image callbacks take their arguments from the stack on x86, whatever the kernel does. */
#if SUP_IOCTL_FLAG != 0
#define SUPDRV_CALLBACK
#elif defined(_MSC_VER)
#define SUPDRV_CALLBACK __cdecl
#else
#define SUPDRV_CALLBACK __attribute__((regparm(0)))
#endif

typedef uint64_t RTHCPHYS;
typedef uintptr_t PVMR0;
typedef struct VM *PVM;
typedef struct SUPDRVSESSION *PSUPDRVSESSION;
typedef int(SUPDRV_CALLBACK FNR0MODULEINIT)(void);
typedef void(SUPDRV_CALLBACK FNR0MODULETERM)(void);
typedef FNR0MODULEINIT *PFNR0MODULEINIT;
typedef FNR0MODULETERM *PFNR0MODULETERM;

/* Plain integers in the structures below, because not every compiler makes an enum 4 bytes. */
typedef uint32_t SUPPAGINGMODE;
enum {
	SUPPAGINGMODE_INVALID,
	SUPPAGINGMODE_32_BIT,
	SUPPAGINGMODE_32_BIT_GLOBAL,
	SUPPAGINGMODE_PAE,
	SUPPAGINGMODE_PAE_GLOBAL,
	SUPPAGINGMODE_PAE_NX,
	SUPPAGINGMODE_PAE_GLOBAL_NX,
	SUPPAGINGMODE_AMD64,
	SUPPAGINGMODE_AMD64_GLOBAL,
	SUPPAGINGMODE_AMD64_NX,
	SUPPAGINGMODE_AMD64_GLOBAL_NX
};
enum { EP_NOTHING, EP_VMMR0 };
enum {
	VMMR0_DO_RAW_RUN,
	VMMR0_DO_HWACC_RUN,
	VMMR0_DO_VMMR0_INIT,
	VMMR0_DO_VMMR0_TERM,
	VMMR0_DO_HWACC_SETUP_VM,
	VMMR0_DO_CALL_HYPERVISOR,
	VMMR0_DO_SRV_START,
	VMMR0_DO_INTNET_OPEN,
	VMMR0_DO_INTNET_IF_CLOSE,
	VMMR0_DO_INTNET_IF_GET_RING3_BUFFER,
	VMMR0_DO_INTNET_IF_SET_PROMISCUOUS_MODE,
	VMMR0_DO_INTNET_IF_SEND,
	VMMR0_DO_INTNET_IF_WAIT,
	VMMR0_DO_SRV_END,
	VMMR0_DO_NOP,
	VMMR0_DO_TESTS
};

#include "supdrv_ioc_layout.h"

#endif
