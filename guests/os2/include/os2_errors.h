/* SPDX-License-Identifier: MIT */
/* Results of system calls and of device helpers: the numbers of OS/2, as its toolkit publishes
 * them. */
#ifndef OS2_ERRORS_H
#define OS2_ERRORS_H

#define NO_ERROR		    0
#define ERROR_INVALID_FUNCTION	    1
#define ERROR_FILE_NOT_FOUND	    2
#define ERROR_PATH_NOT_FOUND	    3
#define ERROR_TOO_MANY_OPEN_FILES   4
#define ERROR_ACCESS_DENIED	    5
#define ERROR_INVALID_HANDLE	    6
#define ERROR_NOT_ENOUGH_MEMORY	    8
#define ERROR_BAD_FORMAT	    11
#define ERROR_INVALID_ACCESS	    12
#define ERROR_INVALID_DATA	    13
#define ERROR_NO_MORE_FILES	    18
#define ERROR_BAD_COMMAND	    22 /* status 0x8103 of a request packet */
#define ERROR_GEN_FAILURE	    31 /* status 0x810C */
#define ERROR_SHARING_VIOLATION	    32
#define ERROR_HANDLE_EOF	    38
#define ERROR_NOT_SUPPORTED	    50
#define ERROR_FILE_EXISTS	    80
#define ERROR_INVALID_PARAMETER	    87 /* status 0x8113 */
#define ERROR_NO_PROC_SLOTS	    89
#define ERROR_INTERRUPT		    95 /* status 0x8111, and calls that the end of a process broke off */
#define ERROR_DEVICE_IN_USE	    99
#define ERROR_BROKEN_PIPE	    109
#define ERROR_OPEN_FAILED	    110
#define ERROR_BUFFER_OVERFLOW	    111
#define ERROR_DISK_FULL		    112
#define ERROR_PROTECTION_VIOLATION  115
#define ERROR_INSUFFICIENT_BUFFER   122
#define ERROR_INVALID_NAME	    123
#define ERROR_WAIT_NO_CHILDREN	    128
#define ERROR_CHILD_NOT_COMPLETE    129
#define ERROR_NEGATIVE_SEEK	    131
#define ERROR_MAX_THRDS_REACHED	    164
#define ERROR_UNCERTAIN_MEDIA	    163
#define ERROR_ALREADY_EXISTS	    183
#define ERROR_BAD_EXE_FORMAT	    193
#define ERROR_FILENAME_EXCED_RANGE  206
#define ERROR_LOCKED		    212
#define ERROR_SWAPIO_ERROR	    275
#define ERROR_ALREADY_POSTED	    299
#define ERROR_ALREADY_RESET	    300
#define ERROR_SEM_BUSY		    301
#define ERROR_INVALID_PROCID	    303
#define ERROR_INVALID_THREADID	    309
#define ERROR_THREAD_NOT_TERMINATED 294
#define ERROR_INVALID_ADDRESS	    487
#define ERROR_TIMEOUT		    640
#define ERROR_USER_DEFINED_BASE	    0xFF00

/* What DevHelp_ProcBlock answers when it was not DevHelp_ProcRun that ended it. */
#define WAIT_TIMED_OUT	 0x8001
#define WAIT_INTERRUPTED 0x8003

#endif
