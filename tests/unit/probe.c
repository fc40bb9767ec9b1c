/* SPDX-License-Identifier: ISC */
/*
 * A test program as its own child, and what /proc says of it.
 */
#include "probe.h"

#include "base/fd.h"
#include "monitor/spawn.h"
#include "unit.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_FDS 256 /* no test has more */

/* What doc/ARCHITECTURE.md says that the monitor needs. */
#define PROBE_NEEDED                                                        \
	(1U << CAP_NET_BIND_SERVICE | 1U << CAP_SETUID | 1U << CAP_SETGID | \
	    1U << CAP_SETPCAP | 1U << CAP_KILL | 1U << CAP_CHOWN)

int
probe_program(void)
{
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	unit_must(fd != -1);
	return fd;
}

void
probe_descriptors(void)
{
	unit_must(fd_close_from(3) == 0);
	unit_must(fd_reserve(SPAWN_FDS) == 0);
}

/* True if the first line of a file in /proc has text in it. */
static int
probe_says(const char *path, const char *text)
{
	char line[128] = "";
	FILE *file = fopen(path, "re");

	if (file == NULL)
		return 0;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	return strstr(line, text) != NULL;
}

const char *
probe_not_root(void)
{
	if (geteuid() != 0)
		return "only root can";
	if ((probe_set("CapEff") & PROBE_NEEDED) != PROBE_NEEDED)
		return "this root has not all of the monitor's capabilities";
	if (!probe_says("/proc/self/uid_map", " 4294967295") ||
	    probe_says("/proc/self/setgroups", "deny"))
		return "this root has not all uids";
	return NULL;
}

void
probe_log(struct log *log, int out[2])
{
	unsetenv("JOURNAL_STREAM");
	unit_must(pipe2(out, O_CLOEXEC) == 0);
	log_init(log, "test", out[1]);
}

int
probe_is_for_all(void)
{
	struct stat st;

	if (geteuid() != 0)
		return 1;
	if (stat("/proc/self/exe", &st) == 0 && (st.st_mode & 0111) == 0111)
		return 1;
	unit_skipped("a child of root", "it may not execute this program");
	return 0;
}

const char *
probe_status(const char *field)
{
	static char line[1024];
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(field);
	char *value = NULL;

	unit_must(file != NULL);
	while (value == NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, field, length) == 0 && line[length] == ':')
			value = line + length + 1;
	fclose(file);
	unit_must(value != NULL);
	while (isspace((unsigned char)*value))
		value++;
	length = strlen(value);
	while (length > 0 && isspace((unsigned char)value[length - 1]))
		value[--length] = '\0';
	return value;
}

uint64_t
probe_set(const char *field)
{
	return strtoull(probe_status(field), NULL, 16);
}

void
probe_read(int fd, char *text, size_t size)
{
	size_t length = 0;
	ssize_t n;

	unit_must(fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) == 0);
	while (length < size - 1 &&
	    (n = read(fd, text + length, size - 1 - length)) > 0)
		length += (size_t)n;
	text[length] = '\0';
}

void
probe_capabilities(uint64_t set)
{
	struct __user_cap_header_struct header = {
	    .version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {
	    {(uint32_t)set, (uint32_t)set, (uint32_t)set},
	    {(uint32_t)(set >> 32), (uint32_t)(set >> 32),
		(uint32_t)(set >> 32)}};

	unit_must(syscall(SYS_capset, &header, data) == 0);
}

int
probe_count(void)
{
	int count = 0;

	for (int fd = 0; fd < PROBE_FDS; fd++)
		count += fcntl(fd, F_GETFD) != -1;
	return count;
}
