/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: environment variables that describe sockets.
 */
#include "exec/env.h"

#include "exec/fd_layout.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number at the beginning of text, or -1.  *out_end is behind it. */
static long
env_parse_number(const char *text, const char **out_end)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno != 0 || value > INT_MAX)
		return -1;
	*out_end = end;
	return value;
}

static long
env_number(const char *variable)
{
	const char *text = getenv(variable), *end = "";
	long value = text == NULL ? -1 : env_parse_number(text, &end);

	return *end == '\0' ? value : -1;
}

int
env_is_this_process(const char *variable)
{
	return env_number(variable) == (long)getpid();
}

size_t
env_listen_fds(void)
{
	long count = env_number("LISTEN_FDS");

	if (count <= 0 || count > INT_MAX - FD_LAYOUT_FIRST ||
	    !env_is_this_process("LISTEN_PID"))
		return 0;
	for (int i = 0; i < (int)count; i++)
		if (!fd_layout_is_inherited(FD_LAYOUT_FIRST + i))
			return 0;
	return (size_t)count;
}

const char *
env_listen_names(size_t count)
{
	const char *names = getenv("LISTEN_FDNAMES");
	size_t found = 1;

	if (names == NULL)
		return NULL;
	for (const char *at = names; (at = strchr(at, ':')) != NULL; at++)
		found++;
	return found == count ? names : NULL;
}

const char *
env_fd_list(const char *variable, const char *separators)
{
	const char *value = getenv(variable), *at = value;
	long fd;

	if (value == NULL)
		return "";
	while (*at != '\0') {
		fd = env_parse_number(at, &at);
		if (fd == -1 || !fd_layout_is_inherited((int)fd))
			return "";
		if (*at != '\0' && strchr(separators, *at) == NULL)
			return "";
		at += *at != '\0';
	}
	return value;
}

size_t
env_einhorn_fds(void)
{
	long count = env_number("EINHORN_FD_COUNT"), fd;
	char name[40];

	for (long i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "EINHORN_FD_%ld", i);
		fd = env_number(name);
		if (fd == -1 || !fd_layout_is_inherited((int)fd))
			return 0;
	}
	return count > 0 ? (size_t)count : 0;
}

int
env_set_number(const char *variable, long long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", value);
	return setenv(variable, text, 1);
}
