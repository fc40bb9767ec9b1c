/* SPDX-License-Identifier: ISC */
/*
 * The environment variables that fdrecv-exec and the bind shim read, which an
 * earlier loader or anybody else has set.
 *
 * The input is text: one value for each variable, separated by newlines; $
 * stands for the number of this process.  What follows the values is the
 * address of a client, for the variables that describe a connection.
 */
#include "fuzz/fuzz.h"

#include "bind/lent_sockets.h"
#include "exec/env.h"
#include "lib/fdrecv.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const variables[] = {"LISTEN_PID", "LISTEN_FDS",
    "LISTEN_FDNAMES", "EINHORN_FD_COUNT", "EINHORN_FD_0", "EINHORN_FD_1",
    "NGINX", "FDRECV_BIND_FDS"};
#define ENVIRONMENT_VARIABLES (sizeof(variables) / sizeof(variables[0]))

/* Returns what follows the values, or NULL. */
static char *
set_variables(char *text)
{
	char number[24], *value;

	snprintf(number, sizeof(number), "%ld", (long)getpid());
	for (size_t i = 0; i < ENVIRONMENT_VARIABLES; i++) {
		value = strsep(&text, "\n");
		if (value == NULL)
			unsetenv(variables[i]);
		else
			setenv(variables[i],
			    strcmp(value, "$") == 0 ? number : value, 1);
	}
	return text;
}

static void
describe(const uint8_t *address, size_t size)
{
	struct fdrecv_handoff handoff = {.size = sizeof(handoff)};

	if (size > sizeof(handoff.peer))
		size = sizeof(handoff.peer);
	memcpy(&handoff.peer, address, size);
	memcpy(&handoff.local, address, size);
	handoff.peer_length = handoff.local_length = (socklen_t)size;
	fuzz_must(env_set_connection(&handoff) == 0);
}

/* Every descriptor that a list names is open. */
static void
expect_open(const char *list)
{
	char *end;

	while (*list != '\0') {
		fuzz_must(fcntl((int)strtol(list, &end, 10), F_GETFD) != -1);
		list = *end == '\0' ? end : end + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct lent_sockets lent;
	unsigned int before = fuzz_count_fds();
	char *text = strndup((const char *)data, size), *rest;
	size_t count;

	rest = set_variables(text);
	if (rest != NULL)
		describe(data + (rest - text), size - (size_t)(rest - text));
	count = env_listen_fds();
	for (size_t i = 0; i < count; i++)
		fuzz_must(fcntl(3 + (int)i, F_GETFD) != -1);
	(void)env_listen_names(count);
	count = env_einhorn_fds();
	fuzz_must(count <= 2 || getenv("EINHORN_FD_1") != NULL);
	expect_open(env_fd_list("NGINX", ":;"));
	lent = (struct lent_sockets){.count = 0};
	lent_sockets_load(&lent,
	    getenv("FDRECV_BIND_FDS") == NULL ? "" : getenv("FDRECV_BIND_FDS"));
	free(text);
	fuzz_must(fuzz_count_fds() == before);
	return 0;
}
