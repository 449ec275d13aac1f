# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The glue's source files, for both makes.
SUPDRV_BSD = main.c file.c glue.c errno.c clock.c counters_sysctl.c mapping.c pages.c pinned.c image_memory.c
SUPDRV_BSD += ring0_functions.c
# What a build with SUPDRV_FAULTS=1 has as well.
SUPDRV_BSD_FAULTS = faults.c fault_memory.c
