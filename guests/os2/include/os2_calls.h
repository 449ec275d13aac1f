/* SPDX-License-Identifier: MIT */
/*
 * System calls of the OS/2-like guest for programs in ring 3, under the names and with the
 * constants of the Control Program of OS/2. docs/os2-guest.md has what each leaves out. A program
 * links guests/os2/lib and has main(argc, argv).
 */
#ifndef OS2_CALLS_H
#define OS2_CALLS_H

#include <stdint.h>

#include "os2_errors.h"

typedef uint32_t APIRET; /* 0 or an ERROR_ */
typedef uint32_t HFILE;
typedef uint32_t HEV;
typedef uint32_t PID;
typedef uint32_t TID;

/* Files, devices, pipes, serial ports. */

#define OPEN_ACTION_FAIL_IF_EXISTS    0x0000
#define OPEN_ACTION_OPEN_IF_EXISTS    0x0001
#define OPEN_ACTION_REPLACE_IF_EXISTS 0x0002
#define OPEN_ACTION_FAIL_IF_NEW	      0x0000
#define OPEN_ACTION_CREATE_IF_NEW     0x0010
#define OPEN_ACCESS_READONLY	      0x0000
#define OPEN_ACCESS_WRITEONLY	      0x0001
#define OPEN_ACCESS_READWRITE	      0x0002
#define OPEN_SHARE_DENYNONE	      0x0040
#define OPEN_FLAGS_NOINHERIT	      0x0080
#define FILE_EXISTED		      1
#define FILE_CREATED		      2
#define FILE_TRUNCATED		      3
#define FILE_BEGIN		      0
#define FILE_CURRENT		      1
#define FILE_END		      2

/*
 * Names: C:\FILE, of the file system in memory; COM1 to COM3; NAME$ or \DEV\NAME$ of a driver; CON
 * is COM1. Letters count as capitals, / as \, C: and the first \ can be left out. There are no
 * directories to make: a name may have parts.
 */
APIRET DosOpen(const char *name, HFILE *file, uint32_t *action, uint32_t size, uint32_t attributes,
	       uint32_t open_flags, uint32_t mode, void *attributes_list);
APIRET DosClose(HFILE file);
/* Serial ports and pipes: waits for one byte, takes what is there. 0 bytes: end of the file or
 * pipe. */
APIRET DosRead(HFILE file, void *to, uint32_t length, uint32_t *read);
APIRET DosWrite(HFILE file, const void *from, uint32_t length, uint32_t *written);
APIRET DosSetFilePtr(HFILE file, int32_t offset, uint32_t method, uint32_t *position);
APIRET DosSetFileSize(HFILE file, uint32_t size);
APIRET DosDelete(const char *name);
APIRET DosDupHandle(HFILE file, HFILE *copy);	 /* *copy 0xFFFFFFFF: the lowest free one */
APIRET DosSetFHState(HFILE file, uint32_t mode); /* OPEN_FLAGS_NOINHERIT or 0 */
APIRET DosQueryFHState(HFILE file, uint32_t *mode);
APIRET DosSetMaxFH(uint32_t count); /* any count up to 4096 is granted; 64 to begin with */
APIRET DosCreatePipe(HFILE *read, HFILE *write, uint32_t size);
/* Lengths over 65535 are ERROR_INVALID_PARAMETER; addresses go to the driver as they are. */
APIRET DosDevIOCtl(HFILE file, uint32_t category, uint32_t function, void *parameters,
		   uint32_t parameters_room, uint32_t *parameters_length, void *data,
		   uint32_t data_room, uint32_t *data_length);
/* The 16-bit form: lengths are not passed to the driver, but for 0 where there is no packet. */
APIRET DosDevIOCtl2(void *data, uint32_t data_length, void *parameters, uint32_t parameters_length,
		    uint32_t function, uint32_t category, HFILE file);

/* Memory. Pages are zero when they come. */

#define PAG_READ     0x01
#define PAG_WRITE    0x02
#define PAG_EXECUTE  0x04 /* enforced here, other than on OS/2 */
#define PAG_GUARD    0x08 /* not here */
#define PAG_COMMIT   0x10
#define PAG_DECOMMIT 0x20
#define OBJ_TILE     0x40  /* no effect */
#define OBJ_ANY	     0x400 /* no effect: memory is anywhere below 3 GiB */
#define PAG_SHARED   0x2000
#define PAG_FREE     0x4000
#define PAG_BASE     0x10000

APIRET DosAllocMem(void **address, uint32_t size, uint32_t flags);
APIRET DosFreeMem(void *address);
APIRET DosSetMem(void *address, uint32_t size, uint32_t flags);
APIRET DosQueryMem(void *address, uint32_t *size, uint32_t *flags);

/* Processes and threads. */

#define EXEC_SYNC	     0
#define EXEC_ASYNC	     1
#define EXEC_ASYNCRESULT     2
#define EXEC_TRACE	     3
#define EXIT_THREAD	     0
#define EXIT_PROCESS	     1
#define DKP_PROCESSTREE	     0
#define DKP_PROCESS	     1
#define DCWA_PROCESS	     0
#define DCWW_WAIT	     0
#define DCWW_NOWAIT	     1
#define TC_EXIT		     0
#define TC_HARDERROR	     1
#define TC_TRAP		     2 /* result: number of the trap */
#define TC_KILLPROCESS	     3
#define STACK_COMMITTED	     2
#define SEM_INDEFINITE_WAIT  0xFFFFFFFFu
#define SEM_IMMEDIATE_RETURN 0u

struct os2_result_codes {
	uint32_t terminate; /* with EXEC_ASYNC..., at the start: the PID; else TC_ */
	uint32_t result;
};

/*
 * arguments: the program's name, 0, the rest of the line, 0, 0. Handles are inherited with their
 * numbers, but for those with OPEN_FLAGS_NOINHERIT. NULL has the program's name only. Of
 * the guest's own: program "" is the caller's.
 */
APIRET DosExecPgm(char *failed, int32_t failed_room, uint32_t flags, const char *arguments,
		  const char *environment, struct os2_result_codes *codes, const char *program);
APIRET DosWaitChild(uint32_t action, uint32_t option, struct os2_result_codes *codes, PID *ended,
		    PID pid); /* pid 0: any child */
APIRET DosKillProcess(uint32_t action, PID pid);
__attribute__((noreturn)) void DosExit(uint32_t action, uint32_t result);

typedef void os2_thread(uint32_t argument);
APIRET DosCreateThread(TID *tid, os2_thread *run, uint32_t argument, uint32_t flags,
		       uint32_t stack_size);
APIRET DosKillThread(TID tid);
APIRET DosWaitThread(TID *tid, uint32_t option); /* *tid 0: any */
APIRET DosSleep(uint32_t ms);			 /* 0: lets others run */

struct os2_thread_info { /* the beginning of TIB2, and of PIB */
	uint32_t tid;
	uint32_t pid;
	uint32_t parent;
};
/* Not DosGetInfoBlocks itself: the same facts, copied. */
APIRET DosGetInfo(struct os2_thread_info *info);

APIRET DosCreateEventSem(const char *name, HEV *sem, uint32_t attributes, uint32_t posted);
APIRET DosCloseEventSem(HEV sem);
APIRET DosPostEventSem(HEV sem);
APIRET DosResetEventSem(HEV sem, uint32_t *posts);
APIRET DosWaitEventSem(HEV sem, uint32_t ms);

/* The system. */

#define QSV_PAGE_SIZE	     10
#define QSV_VERSION_MAJOR    11
#define QSV_VERSION_MINOR    12
#define QSV_VERSION_REVISION 13
#define QSV_MS_COUNT	     14
#define QSV_TIME_LOW	     15 /* seconds since 1970 */
#define QSV_TIME_HIGH	     16
#define QSV_TOTPHYSMEM	     17
#define QSV_TOTRESMEM	     18
#define QSV_TOTAVAILMEM	     19
#define QSV_MAX		     26

APIRET DosQuerySysInfo(uint32_t first, uint32_t last, void *to, uint32_t length);
APIRET DosTmrQueryFreq(uint32_t *frequency);
APIRET DosTmrQueryTime(uint64_t *time); /* OS/2: a QWORD */

#define SHUT_REBOOT 2 /* the guest's own: resets the machine */
APIRET DosShutdown(uint32_t how);

#endif
