/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: environment variables that describe sockets: those of an earlier
 * loader, and with --each those of a connection.  The latter are those of UCSPI
 * of 1996 for TCP, of UCSPI-UNIX for local sockets, and what systemd sets for
 * Accept=yes.  No name is looked up, so the variables for names are not set.
 */
#include "exec/env.h"

#include "exec/fd_layout.h"

#include <sys/un.h>

#include <errno.h>
#include <fdrecv.h>
#include <limits.h>
#include <netdb.h>
#include <stddef.h>
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

static const char *const env_connection_variables[] = {"PROTO",
    "FDRECV_LISTENER", "REMOTE_ADDR", "REMOTE_PORT", "TCPLOCALHOST",
    "TCPLOCALIP", "TCPLOCALPORT", "TCPREMOTEHOST", "TCPREMOTEINFO",
    "TCPREMOTEIP", "TCPREMOTEPORT", "UNIXLOCALGID", "UNIXLOCALPATH",
    "UNIXLOCALPID", "UNIXLOCALUID", "UNIXREMOTEEGID", "UNIXREMOTEEUID",
    "UNIXREMOTEGID", "UNIXREMOTELABEL", "UNIXREMOTEPATH", "UNIXREMOTEPID",
    "UNIXREMOTEUID"};
#define ENV_CONNECTION_COUNT \
	(sizeof(env_connection_variables) / sizeof(env_connection_variables[0]))

/* An IPv4 client of an IPv6 socket is described by its IPv4 address. */
static int
env_set_inet(const char *host_variable, const char *port_variable,
    const struct sockaddr_storage *address, socklen_t length)
{
	static const char mapped[] = "::ffff:";
	char text[NI_MAXHOST], port[NI_MAXSERV], *host = text;

	if (getnameinfo((const struct sockaddr *)address, length, text,
		sizeof(text), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return 0; /* not known */
	if (strncmp(text, mapped, strlen(mapped)) == 0 &&
	    strchr(text, '.') != NULL)
		host += strlen(mapped);
	if (setenv(host_variable, host, 1) == -1)
		return -1;
	return setenv(port_variable, port, 1);
}

static int
env_set_tcp(const struct fdrecv_handoff *handoff)
{
	if (setenv("PROTO", "TCP", 1) == -1 ||
	    env_set_inet("TCPREMOTEIP", "TCPREMOTEPORT", &handoff->peer,
		handoff->peer_length) == -1 ||
	    env_set_inet("REMOTE_ADDR", "REMOTE_PORT", &handoff->peer,
		handoff->peer_length) == -1)
		return -1;
	return env_set_inet("TCPLOCALIP", "TCPLOCALPORT", &handoff->local,
	    handoff->local_length);
}

/* A path, or "@" and an abstract name up to its first NUL. */
static int
env_set_path(const char *variable, const struct sockaddr_storage *address,
    socklen_t length)
{
	struct sockaddr_un found = {.sun_family = AF_UNIX};
	char path[sizeof(found.sun_path) + 1] = "";

	if (length <= offsetof(struct sockaddr_un, sun_path))
		return 0; /* the client has none */
	memcpy(
	    &found, address, length < sizeof(found) ? length : sizeof(found));
	memcpy(path, found.sun_path, sizeof(found.sun_path));
	if (path[0] == '\0')
		path[0] = '@';
	return setenv(variable, path, 1);
}

static int
env_set_unix(const struct fdrecv_handoff *handoff)
{
	long long uid =
	    handoff->uid == (uid_t)-1 ? -1 : (long long)handoff->uid;
	long long gid =
	    handoff->gid == (gid_t)-1 ? -1 : (long long)handoff->gid;
	const struct {
		const char *variable;
		long long value; /* -1: not known */
	} numbers[] = {
	    {"UNIXLOCALUID", getuid()},
	    {"UNIXLOCALGID", getgid()},
	    {"UNIXLOCALPID", getpid()},
	    {"UNIXREMOTEEUID", uid},
	    {"UNIXREMOTEEGID", gid},
	    {"UNIXREMOTEUID", uid},
	    {"UNIXREMOTEGID", gid},
	    {"UNIXREMOTEPID", handoff->pid},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].value != -1 &&
		    env_set_number(numbers[i].variable, numbers[i].value) == -1)
			return -1;
	if (setenv("PROTO", "UNIX", 1) == -1 ||
	    env_set_path("UNIXLOCALPATH", &handoff->local,
		handoff->local_length) == -1 ||
	    env_set_path(
		"UNIXREMOTEPATH", &handoff->peer, handoff->peer_length) == -1)
		return -1;
	return handoff->label[0] == '\0' ?
	    0 :
	    setenv("UNIXREMOTELABEL", handoff->label, 1);
}

int
env_set_connection(const struct fdrecv_handoff *handoff)
{
	for (size_t i = 0; i < ENV_CONNECTION_COUNT; i++)
		unsetenv(env_connection_variables[i]);
	if (handoff->listener[0] != '\0' &&
	    setenv("FDRECV_LISTENER", handoff->listener, 1) == -1)
		return -1;
	return handoff->local.ss_family == AF_UNIX ? env_set_unix(handoff) :
						     env_set_tcp(handoff);
}
