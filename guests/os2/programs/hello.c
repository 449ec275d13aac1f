/* SPDX-License-Identifier: MIT */
/* Says that programs run, with its arguments. */
#include <stdio.h>

int main(int argc, char **argv)
{
	printf("hello from %s,", argv[0]);
	for (int i = 1; i < argc; i++)
		printf(" %s", argv[i]);
	printf("\n");
	return argc;
}
