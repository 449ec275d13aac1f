/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The ways to fail, for the table in each glue's faults.c. */
#ifndef SUPDRV_FAULTS_H
#define SUPDRV_FAULTS_H

struct supdrv_session;

/* Fails on behalf of a request of the session. If it returns, the request is answered. */
typedef void supdrv_fault(struct supdrv_session *session);

supdrv_fault supdrv_fault_use_after_free;
supdrv_fault supdrv_fault_leak;
supdrv_fault supdrv_fault_overrun;
supdrv_fault supdrv_fault_page_overrun;
supdrv_fault supdrv_fault_double_free;
supdrv_fault supdrv_fault_client_stack;

/* The session's close releases one thing less: its oldest record of the kind, all its images, its
 * mapping of the global information page. */
supdrv_fault supdrv_fault_forget_pin;
supdrv_fault supdrv_fault_forget_cont;
supdrv_fault supdrv_fault_forget_low;
supdrv_fault supdrv_fault_forget_image;
supdrv_fault supdrv_fault_forget_gip;

#endif
