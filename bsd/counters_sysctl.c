// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* hw.supdrv: the driver's counters, for the administrator, and which build of it is loaded. */
#include "supdrv_freebsd.h"

#include <sys/kernel.h>
#include <sys/priv.h>
#include <sys/sysctl.h>

#ifndef SUPDRV_BUILD_ID
#define SUPDRV_BUILD_ID ""
#endif

static struct sysctl_ctx_list context;
static const char build_id[] = SUPDRV_BUILD_ID;

static int counters_read(struct sysctl_oid *oid __unused, void *argument __unused,
			 intmax_t number __unused, struct sysctl_req *req)
{
	char text[SUPDRV_COUNTERS_TEXT_SIZE];
	int error = priv_check(req->td, PRIV_DRIVER);

	if (error)
		return error;
	supdrv_counters_format(supdrv_freebsd_device, text, sizeof(text));
	return SYSCTL_OUT(req, text, strlen(text) + 1);
}

/* hw.supdrv.locked.PID */
static int locked_read(struct sysctl_oid *oid __unused, void *numbers, intmax_t count,
		       struct sysctl_req *req)
{
	uint64_t bytes;
	int error = priv_check(req->td, PRIV_DRIVER);

	if (error)
		return error;
	if (count != 1)
		return ENOENT;
	bytes = supdrv_pins_locked(*(int *)numbers);
	return SYSCTL_OUT(req, &bytes, sizeof(bytes));
}

/* A name that is taken by something else costs the driver its sysctl, nothing more. */
void supdrv_sysctl_create(const struct supdrv_config *config)
{
	struct sysctl_oid_list *children;
	struct sysctl_oid *node;

	sysctl_ctx_init(&context);
	node = SYSCTL_ADD_NODE(&context, SYSCTL_STATIC_CHILDREN(_hw), OID_AUTO, "supdrv",
			       CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, "ring-0 support driver");
	if (!node)
		return;
	children = SYSCTL_CHILDREN(node);
	SYSCTL_ADD_PROC(&context, children, OID_AUTO, "counters",
			CTLTYPE_STRING | CTLFLAG_RD | CTLFLAG_MPSAFE, NULL, 0, counters_read, "A",
			"what clients have open, pinned and allocated");
	SYSCTL_ADD_NODE(&context, children, OID_AUTO, "locked", CTLFLAG_RD | CTLFLAG_MPSAFE,
			locked_read, "bytes that a process has pinned, by its number");
	SYSCTL_ADD_INT(&context, children, OID_AUTO, "ring0_images", CTLFLAG_RD, NULL,
		       config->ring0_images, "what clients load runs in the kernel");
	SYSCTL_ADD_STRING(&context, children, OID_AUTO, "build_id", CTLFLAG_RD,
			  __DECONST(char *, build_id), 0, "which build of the driver this is");
}

void supdrv_sysctl_remove(void)
{
	sysctl_ctx_free(&context);
}
