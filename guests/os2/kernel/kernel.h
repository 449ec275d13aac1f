/* SPDX-License-Identifier: MIT */
/* What the kernel's files share: the machine, text, interrupts. */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os2_errors.h"

#define PAGE_SIZE   4096u
#define PAGE_SHIFT  12
#define PAGE_MASK   (PAGE_SIZE - 1)
#define USER_START  0x00010000u
#define KERNEL_BASE 0xC0000000u /* all memory is seen from here on */
#define MAP_START   0xF0000000u /* what is mapped page by page */
#define MAP_END	    0xFF800000u
#define MEMORY_MAX  (MAP_START - KERNEL_BASE)

#define NS_PER_MS   1000000ull
#define FOREVER	    UINT64_MAX

static inline uint32_t page_up(uint32_t value)
{
	return (value + PAGE_MASK) & ~PAGE_MASK;
}

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint16_t in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline uint32_t interrupts_off(void)
{
	uint32_t flags;

	__asm__ volatile("pushf\n\tpop %0\n\tcli" : "=r"(flags)::"memory");
	return flags;
}

static inline void interrupts_restore(uint32_t flags)
{
	__asm__ volatile("push %0\n\tpopf" ::"r"(flags) : "memory", "cc");
}

static inline uint64_t time_stamp(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* What an interrupt leaves on the kernel's stack; esp and ss only if it came from ring 3. */
struct frame {
	uint32_t gs, fs, es, ds;
	uint32_t edi, esi, ebp, unused, ebx, edx, ecx, eax;
	uint32_t vector, error;
	uint32_t eip, cs, eflags, esp, ss;
};

#define VECTOR_NMI	   2
#define VECTOR_PAGE	   14
#define VECTOR_IRQ	   32
#define VECTOR_SYSTEM_CALL 0x60
#define USER_CODE	   0x1B
#define USER_DATA	   0x23

/* ../lib/move.c */
void *memcpy(void *to, const void *from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *to, int value, size_t n);

/* text.c */
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
/* %s %c %d %u %x with width and 0, %%. Returns the length without the 0, which is always there. */
int format(char *to, size_t room, const char *how, ...) __attribute__((format(printf, 3, 4)));
int format_list(char *to, size_t room, const char *how, va_list list);
uint32_t number_of(const char *text);

/* console.c */
void console_start(void);
void console_write(const char *text, size_t length);
void print(const char *how, ...) __attribute__((format(printf, 1, 2)));

/* descriptors.c */
void descriptors_start(void);
void kernel_stack_set(uint32_t top);

/* interrupts.c */
void interrupts_start(void);
void irq_enable(unsigned irq, void (*handler)(void));
void user_return(struct frame *frame);

/* trap.c */
void trap_screen(const struct frame *frame) __attribute__((noreturn));
void system_stop(const char *text, size_t length) __attribute__((noreturn));

/* clock.c */
void clock_start(void);
uint64_t clock_ns(void);
uint64_t clock_of_day_ns(void);
void clock_set_of_day_ns(uint64_t ns);
/* For the driver's SetTimer and TickCount: ticks 0 takes it out. False: no room, or not there. */
bool timer_set(uint32_t handler, uint32_t ticks);
/* Those whose handler is in that range. */
void timers_forget(uint32_t start, uint32_t end);

/* The machine starts anew. */
void machine_reset(void) __attribute__((noreturn));

/* entry.S */
extern const char vector_stubs[];
void system_call_stub(void);
void interrupt_return(void);
void thread_first(void);
void device_help_entry(void);
void double_fault_task(void);
void switch_stacks(uint32_t *save, uint32_t next);
void call_driver(uint32_t entry, uint32_t ebx, uint32_t eax);

#endif
