/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: a connection in the environment.  UCSPI of 1996 for TCP,
 * UCSPI-UNIX for local sockets, and what systemd sets under Accept=yes.  No
 * name is looked up, so those variables that hold one are not set.
 */
#include "exec/connection.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <fdrecv.h>
#include <netdb.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const connection_variables[] = {
    "PROTO",
    "FDRECV_LISTENER",
    "REMOTE_ADDR",
    "REMOTE_PORT",
    "TCPLOCALHOST",
    "TCPLOCALIP",
    "TCPLOCALPORT",
    "TCPREMOTEHOST",
    "TCPREMOTEINFO",
    "TCPREMOTEIP",
    "TCPREMOTEPORT",
    "UNIXLOCALGID",
    "UNIXLOCALPATH",
    "UNIXLOCALPID",
    "UNIXLOCALUID",
    "UNIXREMOTEEGID",
    "UNIXREMOTEEUID",
    "UNIXREMOTEGID",
    "UNIXREMOTELABEL",
    "UNIXREMOTEPATH",
    "UNIXREMOTEPID",
    "UNIXREMOTEUID",
};

static int
connection_set_number(const char *variable, long long value)
{
	char text[24];

	if (value == -1)
		return 0; /* not known */
	snprintf(text, sizeof(text), "%lld", value);
	return setenv(variable, text, 1);
}

/* An IPv4 address that an IPv6 socket shows, as what it is. */
static void
connection_unmap(struct sockaddr_storage *address, socklen_t *length)
{
	struct sockaddr_in6 in6;
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (address->ss_family != AF_INET6)
		return;
	memcpy(&in6, address, sizeof(in6));
	if (!IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		return;
	in.sin_port = in6.sin6_port;
	memcpy(&in.sin_addr, in6.sin6_addr.s6_addr + 12, sizeof(in.sin_addr));
	memset(address, 0, sizeof(*address));
	memcpy(address, &in, sizeof(in));
	*length = sizeof(in);
}

static int
connection_set_inet(const char *host_variable, const char *port_variable,
    struct sockaddr_storage address, socklen_t length)
{
	char host[NI_MAXHOST], port[NI_MAXSERV];

	connection_unmap(&address, &length);
	if (getnameinfo((const struct sockaddr *)&address, length, host,
		sizeof(host), port, sizeof(port),
		NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return 0; /* not known */
	if (setenv(host_variable, host, 1) == -1)
		return -1;
	return setenv(port_variable, port, 1);
}

static int
connection_tell_tcp(const struct fdrecv_handoff *h)
{
	if (setenv("PROTO", "TCP", 1) == -1 ||
	    connection_set_inet("TCPREMOTEIP", "TCPREMOTEPORT", h->peer,
		h->peer_length) == -1 ||
	    connection_set_inet(
		"REMOTE_ADDR", "REMOTE_PORT", h->peer, h->peer_length) == -1)
		return -1;
	return connection_set_inet(
	    "TCPLOCALIP", "TCPLOCALPORT", h->local, h->local_length);
}

/* A path, or "@" and an abstract name up to its first NUL. */
static int
connection_set_path(const char *variable,
    const struct sockaddr_storage *address, socklen_t length)
{
	struct sockaddr_un found;
	char path[sizeof(found.sun_path) + 1] = "";
	size_t start = offsetof(struct sockaddr_un, sun_path);

	memset(&found, 0, sizeof(found));
	memcpy(
	    &found, address, length < sizeof(found) ? length : sizeof(found));
	if (length <= start)
		return 0; /* it has none */
	memcpy(path, found.sun_path, sizeof(found.sun_path));
	if (path[0] == '\0')
		path[0] = '@';
	return setenv(variable, path, 1);
}

static int
connection_tell_unix(const struct fdrecv_handoff *h)
{
	const struct {
		const char *variable;
		long long value;
	} numbers[] = {
	    {"UNIXLOCALUID", getuid()},
	    {"UNIXLOCALGID", getgid()},
	    {"UNIXLOCALPID", getpid()},
	    {"UNIXREMOTEEUID", h->uid == (uid_t)-1 ? -1 : (long long)h->uid},
	    {"UNIXREMOTEEGID", h->gid == (gid_t)-1 ? -1 : (long long)h->gid},
	    {"UNIXREMOTEUID", h->uid == (uid_t)-1 ? -1 : (long long)h->uid},
	    {"UNIXREMOTEGID", h->gid == (gid_t)-1 ? -1 : (long long)h->gid},
	    {"UNIXREMOTEPID", h->pid},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (connection_set_number(
			numbers[i].variable, numbers[i].value) == -1)
			return -1;
	if (setenv("PROTO", "UNIX", 1) == -1 ||
	    connection_set_path("UNIXLOCALPATH", &h->local, h->local_length) ==
		-1 ||
	    connection_set_path("UNIXREMOTEPATH", &h->peer, h->peer_length) ==
		-1)
		return -1;
	return h->label[0] == '\0' ? 0 : setenv("UNIXREMOTELABEL", h->label, 1);
}

int
connection_tell(const struct fdrecv_handoff *h)
{
	size_t count =
	    sizeof(connection_variables) / sizeof(connection_variables[0]);

	for (size_t i = 0; i < count; i++)
		unsetenv(connection_variables[i]);
	if (h->listener[0] != '\0' &&
	    setenv("FDRECV_LISTENER", h->listener, 1) == -1)
		return -1;
	return h->local.ss_family == AF_UNIX ? connection_tell_unix(h) :
					       connection_tell_tcp(h);
}
