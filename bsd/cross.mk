# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds supdrv.ko on another system with zig, whose tree has FreeBSD's headers, with GNU make:
#   make -C bsd -f cross.mk ARCH=amd64|i386 [OUT=DIR] [KERNEL=1500068] [SUPDRV_FAULTS=1] [SUPDRV_BUILD_ID=text]
# bsd.kmod.mk does the same on FreeBSD: one relocatable object for amd64, a shared object for i386.
include ../core/sources.mk
include sources.mk

ZIG ?= python3 -m ziglang
ARCH ?= amd64
OUT ?= ../build/bsd/$(ARCH)
# The headers are those of 15.0; a kernel loads no module that was built for another major version or a later one.
KERNEL ?= 1500068
SUPDRV_BUILD_ID ?= by hand

CPU_amd64 := x86_64
CPU_i386 := x86
LIBC := $(or $(LIBC),$(shell $(ZIG) env | sed -n 's/.*lib_dir.*"\(.*\)".*/\1/p')/libc/include)
HEADERS := $(LIBC)/$(CPU_$(ARCH))-freebsd-none $(LIBC)/generic-freebsd

ifeq ($(SUPDRV_FAULTS),1)
SUPDRV_BSD += $(SUPDRV_BSD_FAULTS)
SUPDRV_CORE += $(SUPDRV_CORE_FAULTS)
DEFINES := -DSUPDRV_FAULTS=1
endif
OBJECTS := $(addprefix $(OUT)/,$(SUPDRV_BSD:.c=.o) $(addprefix core/,$(SUPDRV_CORE:.c=.o)))

# As the kernel itself is compiled.
CFLAGS_amd64 := -mcmodel=kernel -mno-red-zone -mno-mmx -mno-sse -msoft-float
CFLAGS_i386 := -mno-mmx -mno-sse -msoft-float
CFLAGS := -target $(CPU_$(ARCH))-freebsd.15.0-none -U__FreeBSD_version -D__FreeBSD_version=$(KERNEL) -std=gnu11 -O2 -g -Wall -Wextra -Wundef -Werror -nostdinc \
	-ffreestanding -fno-pic -fno-common -fno-strict-aliasing -fno-strict-overflow -fno-omit-frame-pointer \
	-fno-asynchronous-unwind-tables -fno-stack-protector -fno-sanitize=all -ffile-prefix-map=$(abspath ..)=. \
	$(CFLAGS_$(ARCH)) -D_KERNEL -DKLD_MODULE -DHAVE_KERNEL_OPTION_HEADERS $(DEFINES) -include opt_global.h \
	-I. -I../core/include -I$(OUT)/options $(addprefix -isystem ,$(HEADERS)) \
	-DSUPDRV_BUILD_ID='"$(SUPDRV_BUILD_ID)"'
LINK_amd64 := -m elf_x86_64_fbsd -r
LINK_i386 := -m elf_i386_fbsd -Bshareable -znotext -znorelro --hash-style=sysv

.PHONY: all clean
all: $(OUT)/supdrv.ko

# A kernel's options, of which the driver needs none.
$(OUT)/options/opt_global.h:
	@mkdir -p $(@D)
	@: > $@

$(OUT)/%.o: %.c $(OUT)/options/opt_global.h
	@mkdir -p $(@D)
	$(ZIG) cc $(CFLAGS) -c $< -o $@

$(OUT)/core/%.o: ../core/%.c $(OUT)/options/opt_global.h
	@mkdir -p $(@D)
	$(ZIG) cc $(CFLAGS) -c $< -o $@

$(OUT)/supdrv.ko: $(OBJECTS)
	$(ZIG) ld.lld $(LINK_$(ARCH)) $^ -o $@

clean:
	rm -rf $(OUT)
