/* SPDX-License-Identifier: MIT */
/* Files in memory, pipes, the files that tell of the kernel. */
#include "test.h"

static HFILE opened(const char *name, uint32_t flags)
{
	uint32_t action;
	HFILE file = 0xFFFFFFFF;

	DosOpen(name, &file, &action, 0, 0, flags, OPEN_ACCESS_READWRITE, NULL);
	return file;
}

static void a_file_has_what_was_written(void)
{
	char buffer[16] = {0};
	uint32_t n, position;
	HFILE file =
	    opened("C:\\SOME.DAT", OPEN_ACTION_CREATE_IF_NEW | OPEN_ACTION_REPLACE_IF_EXISTS);

	CHECK(!DosWrite(file, "hello world", 11, &n) && n == 11);
	CHECK(!DosSetFilePtr(file, 6, FILE_BEGIN, &position) && position == 6);
	CHECK(!DosRead(file, buffer, sizeof(buffer), &n) && n == 5);
	CHECK(memcmp(buffer, "world", 5) == 0);
	CHECK(!DosRead(file, buffer, sizeof(buffer), &n) && n == 0);
	CHECK(DosSetFilePtr(file, -20, FILE_END, &position) == ERROR_NEGATIVE_SEEK);
	CHECK(!DosClose(file));
	CHECK(DosClose(file) == ERROR_INVALID_HANDLE);
}

static void names_are_the_same_in_all_letters(void)
{
	uint32_t action;
	HFILE file;

	CHECK(!DosOpen("/some.dat", &file, &action, 0, 0, OPEN_ACTION_OPEN_IF_EXISTS, 0, NULL));
	CHECK(action == FILE_EXISTED);
	DosClose(file);
	CHECK(!DosDelete("Some.Dat"));
	CHECK(DosOpen("C:\\SOME.DAT", &file, &action, 0, 0, OPEN_ACTION_OPEN_IF_EXISTS, 0, NULL) ==
	      ERROR_FILE_NOT_FOUND);
}

static void a_file_of_the_archive_can_be_written(void)
{
	char before[4], after[4];
	uint32_t n;
	HFILE file = opened("CONFIG.SYS", OPEN_ACTION_OPEN_IF_EXISTS);

	CHECK(!DosRead(file, before, 4, &n) && n == 4);
	CHECK(!DosSetFilePtr(file, 0, FILE_BEGIN, &n));
	CHECK(!DosWrite(file, "****", 4, &n));
	CHECK(!DosSetFilePtr(file, 0, FILE_BEGIN, &n) && !DosRead(file, after, 4, &n));
	CHECK(memcmp(after, "****", 4) == 0);
	CHECK(!DosSetFilePtr(file, 0, FILE_BEGIN, &n) && !DosWrite(file, before, 4, &n));
	DosClose(file);
}

static void a_large_file_is_whole(void)
{
	uint32_t words = 1 << 18, n, *data = malloc(words * 4);
	HFILE file = opened("BIG", OPEN_ACTION_CREATE_IF_NEW);

	CHECK(data);
	for (uint32_t i = 0; i < words; i++)
		data[i] = i * 2654435761u;
	CHECK(!DosWrite(file, data, words * 4, &n) && n == words * 4);
	memset(data, 0, words * 4);
	CHECK(!DosSetFilePtr(file, 0, FILE_BEGIN, &n));
	CHECK(!DosRead(file, data, words * 4, &n) && n == words * 4);
	for (uint32_t i = 0; i < words; i++)
		CHECK(data[i] == i * 2654435761u);
	free(data);
	DosClose(file);
	DosDelete("BIG");
}

static void a_file_cannot_be_read_into_what_is_not_the_programs(void)
{
	HFILE file = opened("CONFIG.SYS", OPEN_ACTION_OPEN_IF_EXISTS);
	uint32_t n = 7;

	CHECK(DosRead(file, (void *)0xC0100000, 16, &n) == ERROR_INVALID_PARAMETER && n == 0);
	CHECK(DosRead(file, NULL, 16, &n) == ERROR_INVALID_PARAMETER);
	CHECK(DosRead(file, (void *)&child_main, 16, &n) == ERROR_INVALID_PARAMETER);
	CHECK(DosWrite(file, (void *)0xFFFFFFF0, 32, &n) == ERROR_INVALID_PARAMETER);
	DosClose(file);
}

static void a_pipe_carries_bytes_and_its_end(void)
{
	HFILE in, out;
	char buffer[8];
	uint32_t n;
	struct guest_poll poll;

	CHECK(!DosCreatePipe(&in, &out, 4096));
	poll = (struct guest_poll){in, GUEST_POLL_READ, 0};
	CHECK(GuestPoll(&poll, 1, 20) == ERROR_TIMEOUT);
	CHECK(!DosWrite(out, "abc", 3, &n) && n == 3);
	CHECK(!GuestPoll(&poll, 1, 1000) && poll.ready == GUEST_POLL_READ);
	CHECK(!DosRead(in, buffer, sizeof(buffer), &n) && n == 3);
	CHECK(!DosClose(out));
	CHECK(!DosRead(in, buffer, sizeof(buffer), &n) && n == 0);
	CHECK(!DosClose(in));
	CHECK(!DosCreatePipe(&in, &out, 4096) && !DosClose(in));
	CHECK(DosWrite(out, "x", 1, &n) == ERROR_BROKEN_PIPE);
	DosClose(out);
}

static void a_full_pipe_takes_no_more(void)
{
	static char data[5000];
	HFILE in, out;
	uint32_t n;

	CHECK(!DosCreatePipe(&in, &out, 4096));
	CHECK(!GuestOffer(out, data, sizeof(data), &n) && n == 4096);
	CHECK(!GuestOffer(out, data, sizeof(data), &n) && n == 0);
	DosClose(in);
	DosClose(out);
}

static void the_kernel_tells_of_itself(void)
{
	static const char *const names[] = {"G:\\MEMORY", "G:\\THREADS", "G:\\DRIVERS",
					    "G:\\MAPS\\1"};
	char text[64];
	uint32_t n;

	for (int i = 0; i < 4; i++) {
		HFILE file = opened(names[i], OPEN_ACTION_OPEN_IF_EXISTS);

		CHECK(!DosRead(file, text, sizeof(text), &n) && n > 10);
		DosClose(file);
	}
	CHECK(opened("G:\\NOTHING", OPEN_ACTION_OPEN_IF_EXISTS) == 0xFFFFFFFF);
}

const struct test file_tests[] = {
    {"a_file_has_what_was_written", a_file_has_what_was_written},
    {"names_are_the_same_in_all_letters", names_are_the_same_in_all_letters},
    {"a_file_of_the_archive_can_be_written", a_file_of_the_archive_can_be_written},
    {"a_large_file_is_whole", a_large_file_is_whole},
    {"a_file_cannot_be_read_into_what_is_not_the_programs",
     a_file_cannot_be_read_into_what_is_not_the_programs},
    {"a_pipe_carries_bytes_and_its_end", a_pipe_carries_bytes_and_its_end},
    {"a_full_pipe_takes_no_more", a_full_pipe_takes_no_more},
    {"the_kernel_tells_of_itself", the_kernel_tells_of_itself},
    {NULL, NULL},
};
