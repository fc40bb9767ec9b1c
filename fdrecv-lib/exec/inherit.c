/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: what the environment says of sockets from earlier loaders.
 */
#include "exec/inherit.h"

#include "exec/fd_layout.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INHERIT_FIRST 3

/* A number at the beginning of text, or -1.  *out_end is behind it. */
static long
inherit_number(const char *text, const char **out_end)
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
inherit_variable(const char *name)
{
	const char *text = getenv(name), *end = "";
	long value = text == NULL ? -1 : inherit_number(text, &end);

	return *end == '\0' ? value : -1;
}

int
inherit_is_process(const char *variable)
{
	return inherit_variable(variable) == (long)getpid();
}

size_t
inherit_listen_fds(void)
{
	long count = inherit_variable("LISTEN_FDS");

	if (count <= 0 || count > INT_MAX - INHERIT_FIRST ||
	    !inherit_is_process("LISTEN_PID"))
		return 0;
	for (int i = 0; i < (int)count; i++)
		if (!fd_layout_is_inherited(INHERIT_FIRST + i))
			return 0;
	return (size_t)count;
}

const char *
inherit_listen_names(size_t count)
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
inherit_list(const char *variable, const char *separators)
{
	const char *value = getenv(variable), *at = value;
	long fd;

	if (value == NULL)
		return "";
	while (*at != '\0') {
		fd = inherit_number(at, &at);
		if (fd == -1 || !fd_layout_is_inherited((int)fd))
			return "";
		if (*at != '\0' && strchr(separators, *at) == NULL)
			return "";
		at += *at != '\0';
	}
	return value;
}

size_t
inherit_einhorn(void)
{
	long count = inherit_variable("EINHORN_FD_COUNT"), fd;
	char name[40];

	for (long i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "EINHORN_FD_%ld", i);
		fd = inherit_variable(name);
		if (fd == -1 || !fd_layout_is_inherited((int)fd))
			return 0;
	}
	return count > 0 ? (size_t)count : 0;
}
