/* SPDX-License-Identifier: ISC */
/*
 * Runs a fuzz target without libFuzzer: on each file of its corpus, and on each
 * beginning of it, as truncation is the most common mistake of a sender. Prints
 * a summary like those of Check.
 */
#include "fuzz/fuzz.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REPLAY_SIZE 65536

static void
replay_file(int directory, const char *name)
{
	static uint8_t bytes[REPLAY_SIZE];
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, bytes, sizeof(bytes));

	close(fd);
	fuzz_must(size >= 0);
	for (size_t length = 0; length <= (size_t)size; length++)
		LLVMFuzzerTestOneInput(bytes, length);
}

int
main(void)
{
	const char *target = strstr(program_invocation_name, "fuzz_");
	char path[4096];
	struct dirent *entry;
	unsigned int count = 0;
	DIR *directory;

	fuzz_must(target != NULL);
	snprintf(path, sizeof(path), CORPUS "/%s", target + strlen("fuzz_"));
	directory = opendir(path);
	fuzz_must(directory != NULL);
	LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		replay_file(dirfd(directory), entry->d_name);
		count++;
	}
	closedir(directory);
	fuzz_must(count > 0);
	printf("100%%: Checks: %u, Failures: 0, Errors: 0\n", count);
	return 0;
}
