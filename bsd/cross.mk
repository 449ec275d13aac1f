# SPDX-License-Identifier: GPL-2.0-only OR MIT
# Builds supdrv.ko on another system with zig, whose tree has FreeBSD's headers, with GNU make:
#   make -C bsd -f cross.mk ARCH=amd64|i386 [OUT=DIR] [KERNEL=1500068] [SUPDRV_FAULTS=1] [SUPDRV_BUILD_ID=text]
# SYSDIR=DIR [KERNBUILDDIR=DIR]: for another kernel, by its sources (sys/) and, if it was configured otherwise than a
# release, the directory that it was built in. bsd.kmod.mk does the same on FreeBSD: one relocatable object for amd64, a shared one for i386.
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
TRIPLE_amd64 := x86_64-unknown-freebsd15.0
TRIPLE_i386 := i386-unknown-freebsd15.0
LIBC := $(or $(LIBC),$(shell $(ZIG) env | sed -n 's/.*lib_dir.*"\(.*\)".*/\1/p')/libc/include)
ifdef SYSDIR
HEADERS := $(or $(KERNBUILDDIR),$(OUT)/options) $(SYSDIR) $(SYSDIR)/contrib/ck/include
RELEASE :=
OPTIONS := $(or $(KERNBUILDDIR),$(OUT)/options)/opt_global.h
else
HEADERS := $(LIBC)/$(CPU_$(ARCH))-freebsd-none $(LIBC)/generic-freebsd
RELEASE := -D__FreeBSD_version=$(KERNEL)
OPTIONS := $(OUT)/options/opt_global.h
endif

ifeq ($(SUPDRV_FAULTS),1)
SUPDRV_BSD += $(SUPDRV_BSD_FAULTS)
SUPDRV_CORE += $(SUPDRV_CORE_FAULTS)
DEFINES := -DSUPDRV_FAULTS=1
endif
OBJECTS := $(addprefix $(OUT)/,$(SUPDRV_BSD:.c=.o) $(addprefix core/,$(SUPDRV_CORE:.c=.o)))

# As the kernel itself is compiled.
CFLAGS_amd64 := -mcmodel=kernel -mno-red-zone -mno-mmx -mno-sse -msoft-float
CFLAGS_i386 := -mno-mmx -mno-sse -msoft-float
CFLAGS := -target $(TRIPLE_$(ARCH)) $(RELEASE) -std=gnu11 -O2 -g -Wall -Wextra -Wundef -Werror -nostdinc \
	-ffreestanding -fno-pic -fno-common -fno-strict-aliasing -fno-strict-overflow -fno-omit-frame-pointer \
	-fno-asynchronous-unwind-tables -fno-stack-protector -ffile-prefix-map=$(abspath ..)=. \
	$(CFLAGS_$(ARCH)) -D_KERNEL -DKLD_MODULE -DHAVE_KERNEL_OPTION_HEADERS $(DEFINES) -include $(OPTIONS) \
	-I. -I../core/include $(addprefix -isystem ,$(HEADERS)) \
	-DSUPDRV_BUILD_ID='"$(SUPDRV_BUILD_ID)"'
CC := $(ZIG) clang $(CFLAGS)
LINK_amd64 := -m elf_x86_64_fbsd -r
LINK_i386 := -m elf_i386_fbsd -Bshareable -znotext -znorelro --hash-style=sysv

.PHONY: all clean
all: $(OUT)/supdrv.ko

# The options of a kernel as it is released, of which none is for drivers.
$(OUT)/options/opt_global.h:
	@mkdir -p $(@D)
	$(if $(SYSDIR),ln -sfn $(SYSDIR)/$(ARCH)/include $(@D)/machine)
	$(if $(SYSDIR),ln -sfn $(SYSDIR)/x86/include $(@D)/x86)
	$(if $(SYSDIR),ln -sfn $(SYSDIR)/i386/include $(@D)/i386)
	@: > $@

$(OUT)/%.o: %.c $(OPTIONS)
	@mkdir -p $(@D)
	$(CC) -c $< -o $@

$(OUT)/core/%.o: ../core/%.c $(OPTIONS)
	@mkdir -p $(@D)
	$(CC) -c $< -o $@

# What the compiler sees, each piece under the name of the file that it is from.
.PHONY: preprocessed
preprocessed: $(OPTIONS)
	$(CC) -E $(SUPDRV_BSD) $(addprefix ../core/,$(SUPDRV_CORE)) > $(OUT)/$@

$(OUT)/supdrv.ko: $(OBJECTS)
	$(ZIG) ld.lld $(LINK_$(ARCH)) $^ -o $@

clean:
	rm -rf $(OUT)
