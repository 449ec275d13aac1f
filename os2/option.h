/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* The options of the driver, as they stand behind its name in CONFIG.SYS. */
#ifndef SUPDRV_OPTION_H
#define SUPDRV_OPTION_H

#include "supdrv_os.h"

struct options {
	bool ring0_images;
};

/*
 * Reads what DEVICE= says: the file's name, and then words. False: one of them is no option; *bad
 * is where it begins, in the text.
 */
bool options_read(const char *line, struct options *options, const char **bad);

#endif
