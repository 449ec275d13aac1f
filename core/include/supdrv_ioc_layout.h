/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Structures of the request interface. Included by supdrv_ioc.h, not directly.
 *
 * Every input but that of COOKIE starts with the two cookies that COOKIE returned. An array of one
 * element at the end of a structure stands for as many as the request's sizes say.
 */
#ifndef SUPDRV_IOC_H
#error "include supdrv_ioc.h"
#endif

/* Entries of a page list are packed to 4 bytes on every ABI: a client's array may be 4-aligned. */
#pragma pack(push, 4)
typedef struct SUPPAGE {
	RTHCPHYS Phys;
	uintptr_t uReserved;
} SUPPAGE, *PSUPPAGE;
#pragma pack(pop)

/* Clients map this page. A changed or odd u32TransactionId means: read again. */
#pragma pack(push, 1)
typedef struct SUPGLOBALINFOPAGE {
	uint32_t u32Magic;
	uint32_t u32UpdateHz;
	uint32_t u32UpdateIntervalNS;
	uint32_t au32Padding0[5];
	uint32_t u32TransactionId;
	uint32_t u32UpdateIntervalTSC;
	uint64_t u64NanoTS;
	uint64_t u64TSC;
	uint64_t u64CpuHz;
	uint32_t cErrors;
	uint32_t iTSCHistoryHead;
	uint32_t au32TSCHistory[8];
	uint64_t u64NanoTSLastUpdateHz;
} SUPGLOBALINFOPAGE, *PSUPGLOBALINFOPAGE;
#pragma pack(pop)
typedef const SUPGLOBALINFOPAGE *PCSUPGLOBALINFOPAGE;

#if SUP_IOCTL_FLAG != 0
#pragma pack(push, 8)
#else
#pragma pack(push, 4)
#endif

#ifndef SUPDRV_OS_WINDOWS
/* Argument block of a slow request where the OS's own call has no two buffers. */
typedef struct SUPDRVIOCTLDATA {
	void *pvIn;
	unsigned long cbIn;
	void *pvOut;
	unsigned long cbOut;
} SUPDRVIOCTLDATA, *PSUPDRVIOCTLDATA;
#endif

typedef struct SUPCOOKIE_IN {
	char szMagic[16];
	uint32_t u32Version;
} SUPCOOKIE_IN, *PSUPCOOKIE_IN;

typedef struct SUPCOOKIE_OUT {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	uint32_t u32Version;
	uint32_t cFunctions;
	PSUPDRVSESSION pSession;
} SUPCOOKIE_OUT, *PSUPCOOKIE_OUT;

typedef struct SUPQUERYFUNCS_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
} SUPQUERYFUNCS_IN, *PSUPQUERYFUNCS_IN;

typedef struct SUPFUNC {
	char szName[32];
	void *pfn;
} SUPFUNC, *PSUPFUNC;

typedef struct SUPQUERYFUNCS_OUT {
	uint32_t cFunctions;
	SUPFUNC aFunctions[1];
} SUPQUERYFUNCS_OUT, *PSUPQUERYFUNCS_OUT;

typedef struct SUPIDTINSTALL_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
} SUPIDTINSTALL_IN, *PSUPIDTINSTALL_IN;

typedef struct SUPIDTINSTALL_OUT {
	uint8_t u8Idt;
} SUPIDTINSTALL_OUT, *PSUPIDTINSTALL_OUT;

typedef struct SUPIDTREMOVE_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
} SUPIDTREMOVE_IN, *PSUPIDTREMOVE_IN;

typedef struct SUPPINPAGES_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	void *pv;
	uint32_t cb;
} SUPPINPAGES_IN, *PSUPPINPAGES_IN;

typedef struct SUPPINPAGES_OUT {
	SUPPAGE aPages[1];
} SUPPINPAGES_OUT, *PSUPPINPAGES_OUT;

typedef struct SUPUNPINPAGES_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	void *pv;
} SUPUNPINPAGES_IN, *PSUPUNPINPAGES_IN;

typedef struct SUPCONTALLOC_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	uint32_t cb;
} SUPCONTALLOC_IN, *PSUPCONTALLOC_IN;

typedef struct SUPCONTALLOC_OUT {
	void *pvR0;
	void *pvR3;
	RTHCPHYS HCPhys;
} SUPCONTALLOC_OUT, *PSUPCONTALLOC_OUT;

typedef struct SUPCONTFREE_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	void *pv;
} SUPCONTFREE_IN, *PSUPCONTFREE_IN;

typedef struct SUPLDROPEN_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	uint32_t cbImage;
	char szName[32];
} SUPLDROPEN_IN, *PSUPLDROPEN_IN;

typedef struct SUPLDROPEN_OUT {
	void *pvImageBase;
	bool fNeedsLoading;
} SUPLDROPEN_OUT, *PSUPLDROPEN_OUT;

/* offName counts from the string table, offSymbol from the image base. */
typedef struct SUPLDRSYM {
	uint32_t offName;
	uint32_t offSymbol;
} SUPLDRSYM, *PSUPLDRSYM;

/* The image's bytes include both tables; their offsets count from achImage. */
typedef struct SUPLDRLOAD_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	PFNR0MODULEINIT pfnModuleInit;
	PFNR0MODULETERM pfnModuleTerm;
	union {
		struct {
			void *pvVMMR0;
			void *pvVMMR0Entry;
		} VMMR0;
	} EP;
	void *pvImageBase;
	uint32_t eEPType;
	uint32_t offSymbols;
	uint32_t cSymbols;
	uint32_t offStrTab;
	uint32_t cbStrTab;
	uint32_t cbImage;
	char achImage[1];
} SUPLDRLOAD_IN, *PSUPLDRLOAD_IN;

typedef struct SUPLDRFREE_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	void *pvImageBase;
} SUPLDRFREE_IN, *PSUPLDRFREE_IN;

typedef struct SUPLDRGETSYMBOL_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	void *pvImageBase;
	char szSymbol[1];
} SUPLDRGETSYMBOL_IN, *PSUPLDRGETSYMBOL_IN;

typedef struct SUPLDRGETSYMBOL_OUT {
	void *pvSymbol;
} SUPLDRGETSYMBOL_OUT, *PSUPLDRGETSYMBOL_OUT;

typedef struct SUPCALLVMMR0_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	PVM pVM;
	uint32_t uOperation;
	uint32_t cbArg;
	void *pvArg;
} SUPCALLVMMR0_IN, *PSUPCALLVMMR0_IN;

typedef struct SUPCALLVMMR0_OUT {
	int32_t rc;
} SUPCALLVMMR0_OUT, *PSUPCALLVMMR0_OUT;

typedef struct SUPGETPAGINGMODE_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
} SUPGETPAGINGMODE_IN, *PSUPGETPAGINGMODE_IN;

typedef struct SUPGETPAGINGMODE_OUT {
	SUPPAGINGMODE enmMode;
} SUPGETPAGINGMODE_OUT, *PSUPGETPAGINGMODE_OUT;

typedef struct SUPLOWALLOC_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	uint32_t cPages;
} SUPLOWALLOC_IN, *PSUPLOWALLOC_IN;

typedef struct SUPLOWALLOC_OUT {
	void *pvVirt;
	SUPPAGE aPages[1];
} SUPLOWALLOC_OUT, *PSUPLOWALLOC_OUT;

typedef struct SUPLOWFREE_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	void *pv;
} SUPLOWFREE_IN, *PSUPLOWFREE_IN;

typedef struct SUPGIPMAP_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
} SUPGIPMAP_IN, *PSUPGIPMAP_IN;

typedef struct SUPGIPMAP_OUT {
	PCSUPGLOBALINFOPAGE pGipR3;
	PCSUPGLOBALINFOPAGE pGipR0;
	RTHCPHYS HCPhysGip;
} SUPGIPMAP_OUT, *PSUPGIPMAP_OUT;

typedef struct SUPGIPUNMAP_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
} SUPGIPUNMAP_IN, *PSUPGIPUNMAP_IN;

typedef struct SUPSETVMFORFAST_IN {
	uint32_t u32Cookie;
	uint32_t u32SessionCookie;
	PVMR0 pVMR0;
} SUPSETVMFORFAST_IN, *PSUPSETVMFORFAST_IN;

#pragma pack(pop)
