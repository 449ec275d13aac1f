// SPDX-License-Identifier: GPL-2.0-only OR MIT
/* Runs the fuzzer's target on files: a crash in a debugger, or a corpus for its coverage. */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>

#define INPUT_MAX (1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
	static uint8_t data[INPUT_MAX];
	size_t size;
	FILE *file;
	int i;

	for (i = 1; i < argc; i++) {
		file = fopen(argv[i], "rb");
		if (!file) {
			perror(argv[i]);
			return 2;
		}
		size = fread(data, 1, sizeof(data), file);
		fclose(file);
		LLVMFuzzerTestOneInput(data, size);
	}
	return 0;
}
