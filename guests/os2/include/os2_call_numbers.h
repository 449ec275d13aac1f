/* SPDX-License-Identifier: MIT */
/* The numbers of system calls, from 0 on: between the kernel and guests/os2/lib only. */
#ifndef OS2_CALL_NUMBERS_H
#define OS2_CALL_NUMBERS_H

#define GUEST_CALLS(CALL)                                                                          \
	CALL(DosOpen)                                                                              \
	CALL(DosClose)                                                                             \
	CALL(DosRead)                                                                              \
	CALL(DosWrite)                                                                             \
	CALL(DosSetFilePtr)                                                                        \
	CALL(DosSetFileSize)                                                                       \
	CALL(DosDelete)                                                                            \
	CALL(DosDupHandle)                                                                         \
	CALL(DosSetFHState)                                                                        \
	CALL(DosQueryFHState)                                                                      \
	CALL(DosSetMaxFH)                                                                          \
	CALL(DosCreatePipe)                                                                        \
	CALL(DosDevIOCtl)                                                                          \
	CALL(DosDevIOCtl2)                                                                         \
	CALL(DosAllocMem)                                                                          \
	CALL(DosFreeMem)                                                                           \
	CALL(DosSetMem)                                                                            \
	CALL(DosQueryMem)                                                                          \
	CALL(DosExecPgm)                                                                           \
	CALL(DosWaitChild)                                                                         \
	CALL(DosKillProcess)                                                                       \
	CALL(DosExit)                                                                              \
	CALL(GuestCreateThread)                                                                    \
	CALL(DosKillThread)                                                                        \
	CALL(DosWaitThread)                                                                        \
	CALL(DosSleep)                                                                             \
	CALL(DosGetInfo)                                                                           \
	CALL(DosCreateEventSem)                                                                    \
	CALL(DosCloseEventSem)                                                                     \
	CALL(DosPostEventSem)                                                                      \
	CALL(DosResetEventSem)                                                                     \
	CALL(DosWaitEventSem)                                                                      \
	CALL(DosQuerySysInfo)                                                                      \
	CALL(DosTmrQueryFreq)                                                                      \
	CALL(DosTmrQueryTime)                                                                      \
	CALL(DosShutdown)                                                                          \
	CALL(GuestPoll)                                                                            \
	CALL(GuestOffer)                                                                           \
	CALL(GuestAllocMemAt)                                                                      \
	CALL(GuestFreeRange)                                                                       \
	CALL(GuestRead)                                                                            \
	CALL(GuestWrite)                                                                           \
	CALL(GuestLoadDriver)                                                                      \
	CALL(GuestUnloadDriver)                                                                    \
	CALL(GuestQueryDriver)                                                                     \
	CALL(GuestTime)                                                                            \
	CALL(GuestNextFile)

#endif
