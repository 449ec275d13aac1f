/* SPDX-License-Identifier: MIT */
/* System calls on event semaphores, time and the system. */
#include "os2_calls.h"
#include "process.h"
#include "system_call.h"

#define SEMS_MAX	    256
#define CHIP_HZ		    1193182u
#define ERROR_TOO_MANY_SEMS 100

/* Of all processes; handle is the place, from 1 on, and only the process that made it can use it.
 */
static struct event_sem {
	const struct process *owner;
	uint32_t posts;
} sems[SEMS_MAX];

static struct event_sem *sem_of(uint32_t handle)
{
	struct event_sem *s = handle - 1 < SEMS_MAX ? &sems[handle - 1] : NULL;

	return s && s->owner == current->process ? s : NULL;
}

/* Those of processes that have ended are free. */
static bool in_use(const struct event_sem *s)
{
	for (const struct process *p = processes; p; p = p->next)
		if (p == s->owner && !p->ended)
			return true;
	return false;
}

uint32_t call_DosCreateEventSem(const uint32_t *a)
{
	uint32_t i = 0;

	if (a[0])
		return ERROR_INVALID_PARAMETER; /* no names */
	while (i < SEMS_MAX && in_use(&sems[i]))
		i++;
	if (i == SEMS_MAX)
		return ERROR_TOO_MANY_SEMS;
	sems[i] = (struct event_sem){current->process, a[3] ? 1 : 0};
	return user_write_word(a[1], i + 1) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosCloseEventSem(const uint32_t *a)
{
	struct event_sem *s = sem_of(a[0]);

	if (!s)
		return ERROR_INVALID_HANDLE;
	s->owner = NULL;
	wake((uint32_t)s);
	return NO_ERROR;
}

uint32_t call_DosPostEventSem(const uint32_t *a)
{
	struct event_sem *s = sem_of(a[0]);

	if (!s)
		return ERROR_INVALID_HANDLE;
	wake((uint32_t)s);
	return s->posts++ ? ERROR_ALREADY_POSTED : NO_ERROR;
}

uint32_t call_DosResetEventSem(const uint32_t *a)
{
	struct event_sem *s = sem_of(a[0]);
	uint32_t posts;

	if (!s)
		return ERROR_INVALID_HANDLE;
	posts = s->posts;
	s->posts = 0;
	if (a[1] && !user_write_word(a[1], posts))
		return ERROR_INVALID_PARAMETER;
	return posts ? NO_ERROR : ERROR_ALREADY_RESET;
}

uint32_t call_DosWaitEventSem(const uint32_t *a)
{
	uint64_t deadline = a[1] == SEM_INDEFINITE_WAIT ? FOREVER : clock_ns() + a[1] * NS_PER_MS;
	uint32_t flags = interrupts_off(), why = 0;
	struct event_sem *s;

	while ((s = sem_of(a[0])) && !s->posts && !why)
		why = block((uint32_t)s, deadline, true);
	interrupts_restore(flags);
	if (!s)
		return ERROR_INVALID_HANDLE;
	return s->posts ? NO_ERROR : why == WAIT_TIMED_OUT ? ERROR_TIMEOUT : ERROR_INTERRUPT;
}

static uint32_t variable(uint32_t index)
{
	switch (index) {
	case QSV_PAGE_SIZE:
		return PAGE_SIZE;
	case QSV_VERSION_MAJOR:
		return 20;
	case QSV_VERSION_MINOR:
		return 45;
	case QSV_MS_COUNT:
		return (uint32_t)(clock_ns() / NS_PER_MS);
	case QSV_TIME_LOW:
		return (uint32_t)(clock_of_day_ns() / 1000000000u);
	case QSV_TOTPHYSMEM:
		return frames_total() << PAGE_SHIFT;
	case QSV_TOTRESMEM:
		return (frames_total() - frames_free()) << PAGE_SHIFT;
	case QSV_TOTAVAILMEM:
		return frames_free() << PAGE_SHIFT;
	default:
		return 0;
	}
}

uint32_t call_DosQuerySysInfo(const uint32_t *a)
{
	if (a[0] == 0 || a[0] > a[1] || a[1] > QSV_MAX)
		return ERROR_INVALID_PARAMETER;
	if (a[3] / sizeof(uint32_t) < a[1] - a[0] + 1)
		return ERROR_BUFFER_OVERFLOW;
	for (uint32_t i = a[0]; i <= a[1]; i++)
		if (!user_write_word(a[2] + (i - a[0]) * sizeof(uint32_t), variable(i)))
			return ERROR_INVALID_PARAMETER;
	return NO_ERROR;
}

uint32_t call_DosTmrQueryFreq(const uint32_t *a)
{
	return user_write_word(a[0], CHIP_HZ) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosTmrQueryTime(const uint32_t *a)
{
	uint64_t ns = clock_ns(), seconds = ns / 1000000000u;
	uint64_t ticks = seconds * CHIP_HZ + (ns - seconds * 1000000000u) * CHIP_HZ / 1000000000u;

	return user_write(a[0], &ticks, sizeof(ticks)) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

uint32_t call_GuestTime(const uint32_t *a)
{
	uint64_t ns;

	if (a[0]) {
		if (!user_read(&ns, a[0], sizeof(ns)))
			return ERROR_INVALID_PARAMETER;
		clock_set_of_day_ns(ns);
	}
	ns = clock_of_day_ns();
	return !a[1] || user_write(a[1], &ns, sizeof(ns)) ? NO_ERROR : ERROR_INVALID_PARAMETER;
}

uint32_t call_DosShutdown(const uint32_t *a)
{
	if (a[0] != SHUT_REBOOT)
		return ERROR_INVALID_PARAMETER;
	machine_reset();
}
