// SPDX-License-Identifier: GPL-2.0-only OR MIT
#include <errno.h>

#include "host.h"
#include "supdrv_linux.h"

TEST(linux_error_numbers_of_every_code)
{
	static const int errors[] = {0,	     EACCES, EINVAL, EILSEQ, ENXIO, ENOLCK,
				     EFAULT, EPERM,  ENOMEM, EEXIST, EPERM, ENOSYS};
	int32_t status;

	for (status = 0; status < 12; status++)
		CHECK_EQUAL(supdrv_errno_from_status(-status), -errors[status]);
	CHECK_EQUAL(supdrv_errno_from_status(-12), -EPERM);
	CHECK_EQUAL(supdrv_errno_from_status(-4711), -EPERM);
	CHECK_EQUAL(supdrv_errno_from_status(1), -EPERM);
}

TEST(linux_fast_results_never_reach_numbers_that_the_kernel_keeps_for_itself)
{
	int32_t result;

	CHECK_EQUAL(supdrv_errno_from_fast(0), 0);
	CHECK_EQUAL(supdrv_errno_from_fast(INT32_MAX), INT32_MAX);
	CHECK_EQUAL(supdrv_errno_from_fast(-32), -EPIPE);
	CHECK_EQUAL(supdrv_errno_from_fast(-37), -37);
	for (result = -516; result <= -512; result++)
		CHECK_EQUAL(supdrv_errno_from_fast(result), -EPERM);
	CHECK_EQUAL(supdrv_errno_from_fast(-511), -511);
	CHECK_EQUAL(supdrv_errno_from_fast(-517), -517);
	CHECK_EQUAL(supdrv_errno_from_fast(-4095), -4095);
	CHECK_EQUAL(supdrv_errno_from_fast(-4096), -EPERM);
	CHECK_EQUAL(supdrv_errno_from_fast(INT32_MIN), -EPERM);
}
