/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: the environment of a connection.  UCSPI of 1996 for TCP,
 * UCSPI-UNIX for local sockets, and what systemd sets for Accept=yes.  No name
 * is looked up, so the variables for names are not set.
 */
#include "exec/connection_env.h"

#include "exec/env.h"

#include <sys/un.h>

#include <fdrecv.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const connection_env_variables[] = {"PROTO",
    "FDRECV_LISTENER", "REMOTE_ADDR", "REMOTE_PORT", "TCPLOCALHOST",
    "TCPLOCALIP", "TCPLOCALPORT", "TCPREMOTEHOST", "TCPREMOTEINFO",
    "TCPREMOTEIP", "TCPREMOTEPORT", "UNIXLOCALGID", "UNIXLOCALPATH",
    "UNIXLOCALPID", "UNIXLOCALUID", "UNIXREMOTEEGID", "UNIXREMOTEEUID",
    "UNIXREMOTEGID", "UNIXREMOTELABEL", "UNIXREMOTEPATH", "UNIXREMOTEPID",
    "UNIXREMOTEUID"};
#define CONNECTION_ENV_COUNT \
	(sizeof(connection_env_variables) / sizeof(connection_env_variables[0]))

/* An IPv4 client of an IPv6 socket is described by its IPv4 address. */
static int
connection_env_set_inet(const char *host_variable, const char *port_variable,
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
connection_env_set_tcp(const struct fdrecv_handoff *handoff)
{
	if (setenv("PROTO", "TCP", 1) == -1 ||
	    connection_env_set_inet("TCPREMOTEIP", "TCPREMOTEPORT",
		&handoff->peer, handoff->peer_length) == -1 ||
	    connection_env_set_inet("REMOTE_ADDR", "REMOTE_PORT",
		&handoff->peer, handoff->peer_length) == -1)
		return -1;
	return connection_env_set_inet("TCPLOCALIP", "TCPLOCALPORT",
	    &handoff->local, handoff->local_length);
}

/* A path, or "@" and an abstract name up to its first NUL. */
static int
connection_env_set_path(const char *variable,
    const struct sockaddr_storage *address, socklen_t length)
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
connection_env_set_unix(const struct fdrecv_handoff *handoff)
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
	    connection_env_set_path("UNIXLOCALPATH", &handoff->local,
		handoff->local_length) == -1 ||
	    connection_env_set_path(
		"UNIXREMOTEPATH", &handoff->peer, handoff->peer_length) == -1)
		return -1;
	return handoff->label[0] == '\0' ?
	    0 :
	    setenv("UNIXREMOTELABEL", handoff->label, 1);
}

int
connection_env_set(const struct fdrecv_handoff *handoff)
{
	for (size_t i = 0; i < CONNECTION_ENV_COUNT; i++)
		unsetenv(connection_env_variables[i]);
	if (handoff->listener[0] != '\0' &&
	    setenv("FDRECV_LISTENER", handoff->listener, 1) == -1)
		return -1;
	return handoff->local.ss_family == AF_UNIX ?
	    connection_env_set_unix(handoff) :
	    connection_env_set_tcp(handoff);
}
