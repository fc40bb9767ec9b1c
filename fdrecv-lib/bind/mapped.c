/* SPDX-License-Identifier: ISC */
/*
 * Translates between an IPv6 socket that a program believes it has and the
 * IPv4 socket that was lent to it.  Runs in a program that knows nothing of it.
 * Java opens IPv6 sockets only: its 127.0.0.1 is ::ffff:127.0.0.1.
 */
#include "bind/mapped.h"

#include <string.h>

int
mapped_to_inet(const struct sockaddr *address, socklen_t length,
    struct sockaddr_in *out_address)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6;

	if (address == NULL || length < sizeof(in6))
		return -1;
	memcpy(&in6, address, sizeof(in6));
	if (in6.sin6_family != AF_INET6)
		return -1;
	if (IN6_IS_ADDR_V4MAPPED(&in6.sin6_addr))
		memcpy(&in.sin_addr, &in6.sin6_addr.s6_addr[12],
		    sizeof(in.sin_addr));
	else if (!IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr))
		return -1;
	in.sin_port = in6.sin6_port;
	*out_address = in;
	return 0;
}

/* The wildcard is that of IPv6. */
static struct sockaddr_in6
mapped_from_inet(const struct sockaddr_in *in)
{
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_port = in->sin_port};

	if (in->sin_addr.s_addr == htonl(INADDR_ANY))
		return in6;
	in6.sin6_addr.s6_addr[10] = in6.sin6_addr.s6_addr[11] = 0xff;
	memcpy(&in6.sin6_addr.s6_addr[12], &in->sin_addr, sizeof(in->sin_addr));
	return in6;
}

void
mapped_write(const struct sockaddr_storage *found, socklen_t found_length,
    struct sockaddr *address, socklen_t *length)
{
	const void *from = found;
	struct sockaddr_in6 in6;

	if (address == NULL || length == NULL)
		return;
	if (found->ss_family == AF_INET) {
		in6 = mapped_from_inet((const void *)found);
		from = &in6;
		found_length = sizeof(in6);
	}
	memcpy(address, from, *length < found_length ? *length : found_length);
	*length = found_length;
}

int
mapped_option(int *level, int *name)
{
	static const struct {
		int in6;
		int in;
	} names[] = {
	    {IPV6_TCLASS, IP_TOS},
	    {IPV6_UNICAST_HOPS, IP_TTL},
	    {IPV6_MTU_DISCOVER, IP_MTU_DISCOVER},
	    {IPV6_MTU, IP_MTU},
	    {IPV6_RECVERR, IP_RECVERR},
	    {IPV6_TRANSPARENT, IP_TRANSPARENT},
	    {IPV6_FREEBIND, IP_FREEBIND},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (*level != IPPROTO_IPV6 || *name != names[i].in6)
			continue;
		*level = IPPROTO_IP;
		*name = names[i].in;
		return 1;
	}
	return 0;
}
