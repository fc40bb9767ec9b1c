/* SPDX-License-Identifier: ISC */
/*
 * Where clients come from.  Pure.
 */
#include "engine/policy/source_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

int
source_address_of_bytes(
    struct source_address *out_address, int family, const void *bytes)
{
	struct in6_addr in6;

	if (family != AF_INET && family != AF_INET6)
		return -1;
	memset(out_address, 0, sizeof(*out_address));
	out_address->family = SOURCE_IPV4;
	if (family == AF_INET) {
		memcpy(out_address->bytes, bytes, 4);
		return 0;
	}
	memcpy(&in6, bytes, sizeof(in6));
	if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		memcpy(out_address->bytes, &in6.s6_addr[12], 4);
		return 0;
	}
	out_address->family = SOURCE_IPV6;
	memcpy(out_address->bytes, &in6, sizeof(in6));
	return 0;
}

int
source_address_of_peer(
    struct source_address *out_address, const struct sockaddr_storage *peer)
{
	const struct sockaddr_in *in = (const void *)peer;
	const struct sockaddr_in6 *in6 = (const void *)peer;

	return source_address_of_bytes(out_address, peer->ss_family,
	    peer->ss_family == AF_INET ? (const void *)&in->sin_addr :
					 (const void *)&in6->sin6_addr);
}

void
source_address_of_user(struct source_address *out_address, uint32_t uid)
{
	memset(out_address, 0, sizeof(*out_address));
	out_address->family = SOURCE_LOCAL;
	memcpy(out_address->bytes, &uid, sizeof(uid));
}

void
source_address_mask(struct source_address *address, unsigned int prefix)
{
	for (size_t i = 0; i < sizeof(address->bytes); i++) {
		if (prefix < 8)
			address->bytes[i] &= (unsigned char)~(0xff >> prefix);
		prefix -= prefix < 8 ? prefix : 8;
	}
}

void
source_address_group(struct source_address *address, const uint32_t prefix[2])
{
	if (address->family != SOURCE_LOCAL)
		source_address_mask(
		    address, prefix[address->family == SOURCE_IPV6]);
}

void
source_address_print(const struct source_address *address,
    const uint32_t prefix[2], char text[SOURCE_ADDRESS_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN] = "";
	int is_ipv6 = address->family == SOURCE_IPV6;
	uint32_t uid;

	if (address->family == SOURCE_LOCAL) {
		memcpy(&uid, address->bytes, sizeof(uid));
		snprintf(text, SOURCE_ADDRESS_TEXT_SIZE, "uid %u", uid);
		return;
	}
	inet_ntop(
	    is_ipv6 ? AF_INET6 : AF_INET, address->bytes, host, sizeof(host));
	if (prefix[is_ipv6] == (is_ipv6 ? 128 : 32))
		snprintf(text, SOURCE_ADDRESS_TEXT_SIZE, "%s", host);
	else
		snprintf(text, SOURCE_ADDRESS_TEXT_SIZE, "%s/%u", host,
		    prefix[is_ipv6]);
}
