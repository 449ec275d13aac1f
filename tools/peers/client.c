/* SPDX-License-Identifier: MIT */
/*
 * One test as a program in the guest: opens the device, greets the driver, asks for the paging mode
 * and checks the answer. Status 0 if it is right, else what was wrong on stderr and status 1.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "supdrv_ioc.h"

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int request(int device, unsigned int number, void *in, uint32_t in_size, void *out,
		   uint32_t out_size)
{
	SUPDRVIOCTLDATA block = {.pvIn = in, .cbIn = in_size, .pvOut = out, .cbOut = out_size};

	return ioctl(device, number, &block);
}

int main(void)
{
	SUPCOOKIE_IN hello = {.szMagic = SUPCOOKIE_MAGIC, .u32Version = SUPDRVIOC_VERSION};
	SUPCOOKIE_OUT cookies;
	SUPGETPAGINGMODE_IN question;
	SUPGETPAGINGMODE_OUT answer = {.enmMode = SUPPAGINGMODE_INVALID};
	int device = open("/dev/supdrv", O_RDWR);

	if (device < 0)
		return fail("/dev/supdrv");
	if (request(device, SUP_IOCTL_COOKIE, &hello, sizeof(hello), &cookies, sizeof(cookies)))
		return fail("COOKIE");
	question.u32Cookie = cookies.u32Cookie;
	question.u32SessionCookie = cookies.u32SessionCookie;
	if (request(device, SUP_IOCTL_GET_PAGING_MODE, &question, sizeof(question), &answer,
		    sizeof(answer)))
		return fail("GET_PAGING_MODE");
	if (answer.enmMode < SUPPAGINGMODE_AMD64 ||
	    answer.enmMode > SUPPAGINGMODE_AMD64_GLOBAL_NX) {
		fprintf(stderr, "the paging mode is %u\n", answer.enmMode);
		return 1;
	}
	close(device);
	return 0;
}
