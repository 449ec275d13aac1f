# SPDX-License-Identifier: GPL-2.0-only OR MIT
# The core's source files, for every build of the driver.
SUPDRV_CORE := counters.c cpu.c device.c fast.c functions.c handshake.c requests.c session.c token.c
SUPDRV_CORE += memory.c pin.c records.c
SUPDRV_CORE += gip.c gip_update.c
SUPDRV_CORE += image_load.c image_open.c image_symbols.c images.c vmmr0.c
# What a build with SUPDRV_FAULTS=1 has as well.
SUPDRV_CORE_FAULTS := fault_records.c
