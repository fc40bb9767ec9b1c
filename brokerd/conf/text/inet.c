/* SPDX-License-Identifier: ISC */
/*
 * Addresses of tcp and udp, in the config reader.  Only this file resolves
 * host and service names.
 */
#include "conf/text/inet.h"

#include "base/fd.h"
#include "conf/text/number.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

#define INET_HOST_SIZE 256 /* longer names do not exist in the DNS */

/* The ADDRESS:PORT that is being read. */
struct inet {
	struct address_list *list;
	uint32_t kind;
	in_port_t port;
	char host[INET_HOST_SIZE];
	struct reason *reason;
};

static int
inet_port(struct inet *inet, const char *text)
{
	const struct servent *service;
	uint64_t port;

	if (text[0] == '\0')
		return reason_set(inet->reason,
		    "no port: expected 1 to 65535 or a service name");
	if (text[strspn(text, "0123456789")] == '\0') {
		if (number_parse(text, 10, 1, 65535, &port) == -1)
			return reason_set(inet->reason,
			    "port %.160s: expected 1 to 65535 or a service "
			    "name",
			    text);
		inet->port = htons((uint16_t)port);
		return 0;
	}
	service = getservbyname(text, address_kind_name(inet->kind));
	if (service == NULL || service->s_port == 0)
		return reason_set(inet->reason,
		    "port %.160s: no such %s service: expected 1 to 65535 or "
		    "a service name",
		    text, address_kind_name(inet->kind));
	inet->port = (in_port_t)service->s_port;
	return 0;
}

static int
inet_add4(struct inet *inet, struct in_addr address)
{
	struct sockaddr_in in;

	memset(&in, 0, sizeof(in));
	in.sin_family = AF_INET;
	in.sin_port = inet->port;
	in.sin_addr = address;
	return address_list_add(inet->list, inet->kind,
	    (const struct sockaddr *)&in, sizeof(in), inet->reason);
}

static int
inet_add6(struct inet *inet, struct in6_addr address, uint32_t scope)
{
	struct sockaddr_in6 in6;

	memset(&in6, 0, sizeof(in6));
	in6.sin6_family = AF_INET6;
	in6.sin6_port = inet->port;
	in6.sin6_addr = address;
	in6.sin6_scope_id = scope;
	return address_list_add(inet->list, inet->kind,
	    (const struct sockaddr *)&in6, sizeof(in6), inet->reason);
}

static int
inet_wildcard(struct inet *inet)
{
	inet->list->wildcard = 1;
	if (inet_add4(inet, (struct in_addr){htonl(INADDR_ANY)}) == -1)
		return -1;
	return inet_add6(inet, in6addr_any, 0);
}

/* The part after "%": an interface's name or number. */
static int
inet_scope(struct inet *inet, const struct in6_addr *address, const char *name,
    uint32_t *out_scope)
{
	uint64_t number;

	if (!IN6_IS_ADDR_LINKLOCAL(address) &&
	    !IN6_IS_ADDR_MC_LINKLOCAL(address)) {
		if (name != NULL)
			return reason_set(inet->reason,
			    "an interface after \"%%\": expected it only "
			    "with a link-local address");
		*out_scope = 0;
		return 0;
	}
	if (name == NULL)
		return reason_set(inet->reason,
		    "a link-local address: expected \"%%\" and its interface "
		    "after it, as in [fe80::1%%eth0]");
	*out_scope = if_nametoindex(name);
	if (*out_scope == 0 &&
	    number_parse(name, 10, 1, UINT32_MAX, &number) == 0)
		*out_scope = (uint32_t)number;
	if (*out_scope != 0)
		return 0;
	reason_set(inet->reason,
	    "there is no interface " REASON_VALUE
	    ": expected the name or number of one",
	    name);
	return reason_is(inet->reason, REASON_PASSING);
}

static int
inet_literal6(struct inet *inet)
{
	char *scope = strchr(inet->host, '%');
	struct in6_addr address;
	uint32_t index;

	if (scope != NULL)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, inet->host, &address) != 1)
		return reason_set(inet->reason,
		    "[%.160s] is not an IPv6 address: expected one such as "
		    "[2001:db8::1]",
		    inet->host);
	if (inet_scope(inet, &address, scope, &index) == -1)
		return -1;
	return inet_add6(inet, address, index);
}

/* getaddrinfo(3) accepts "127.1" and "0x7f.1" as addresses.  Here a host that
 * ends in a number is an address, or an error. */
static int
inet_looks_numeric(const char *host)
{
	const char *last = strrchr(host, '.');

	last = last != NULL ? last + 1 : host;
	return last[strspn(last, "0123456789")] == '\0' ||
	    strncmp(last, "0x", 2) == 0 || strncmp(last, "0X", 2) == 0;
}

static int
inet_is_name(const char *host)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

	return host[0] != '\0' && host[strspn(host, allowed)] == '\0' &&
	    !inet_looks_numeric(host);
}

static int
inet_resolve(struct inet *inet)
{
	struct addrinfo hints = {.ai_socktype = record_socket_type(inet->kind)};
	struct addrinfo *found;
	int error = getaddrinfo(inet->host, NULL, &hints, &found);
	int result = 0;

	if (error == EAI_MEMORY)
		return reason_system(inet->reason);
	if (error != 0) {
		reason_set(inet->reason,
		    "host %.160s has no address (%s): expected a host name "
		    "that has one, or an IP address",
		    inet->host,
		    error == EAI_SYSTEM ? strerror(errno) :
					  gai_strerror(error));
		return reason_is(inet->reason,
		    error == EAI_AGAIN || error == EAI_SYSTEM ||
			    error == EAI_FAIL ?
			REASON_PASSING :
			REASON_UNKNOWN);
	}
	for (const struct addrinfo *a = found; a != NULL && result == 0;
	     a = a->ai_next) {
		const struct sockaddr_in *in = (const void *)a->ai_addr;
		const struct sockaddr_in6 *in6 = (const void *)a->ai_addr;

		if (a->ai_family == AF_INET)
			result = inet_add4(inet, in->sin_addr);
		else if (a->ai_family == AF_INET6)
			result =
			    inet_add6(inet, in6->sin6_addr, in6->sin6_scope_id);
	}
	freeaddrinfo(found);
	return result;
}

/* Copies the host of HOST:PORT or [HOST]:PORT.  Returns the port, or NULL and
 * the reason if there are no two parts. */
static const char *
inet_split(struct inet *inet, const char *text)
{
	int bracket = text[0] == '[';
	const char *end = bracket ? strchr(text, ']') : strrchr(text, ':');
	const char *kind = address_kind_name(inet->kind);
	size_t length;

	text += bracket;
	length = end != NULL ? (size_t)(end - text) : 0;
	if (end == NULL || (bracket && end[1] != ':'))
		reason_set(inet->reason, "expected %s:ADDRESS:PORT%s", kind,
		    bracket ? ", with [ and ] around an IPv6 address" : "");
	else if (!bracket && memchr(text, ':', length) != NULL)
		reason_set(inet->reason,
		    "more than one \":\": expected [ and ] around an IPv6 "
		    "address, as in %s:[::1]:80",
		    kind);
	else if (length >= sizeof(inet->host))
		reason_set(inet->reason,
		    "a host of %zu bytes: expected at most %zu", length,
		    sizeof(inet->host) - 1);
	else {
		memcpy(inet->host, text, length);
		return end + bracket + 1;
	}
	return NULL;
}

int
inet_parse(struct address_list *list, uint32_t kind, const char *text,
    struct reason *reason)
{
	struct inet inet = {.list = list, .kind = kind, .reason = reason};
	struct in_addr address;
	const char *port = inet_split(&inet, text);

	if (port == NULL || inet_port(&inet, port) == -1)
		return -1;
	if (text[0] == '[')
		return inet_literal6(&inet);
	if (strcmp(inet.host, "*") == 0)
		return inet_wildcard(&inet);
	if (inet_pton(AF_INET, inet.host, &address) == 1)
		return inet_add4(&inet, address);
	if (!inet_is_name(inet.host))
		return reason_set(reason,
		    REASON_VALUE
		    " is not an address: expected an IPv4 address, an "
		    "IPv6 address in [ and ], \"*\" or a host name",
		    inet.host);
	return inet_resolve(&inet);
}

int
inet_is_here(const struct record_socket *sock)
{
	const int on = (sock->flags & RECORD_FREEBIND) != 0;
	struct sockaddr_storage any_port = sock->address;
	int fd = socket(sock->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int here = 1;

	if (fd == -1)
		return errno != EAFNOSUPPORT;
	/* At the same place in sockaddr_in6. */
	((struct sockaddr_in *)&any_port)->sin_port = 0;
	setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&any_port,
		sock->address_length) == -1)
		here = errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT;
	fd_close(fd);
	return here;
}
