/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>

#include <stddef.h>
#include <stdint.h>

#define SOURCE_ADDRESS_TEXT_SIZE 64

enum source_family {
	SOURCE_IPV4 = 1,
	SOURCE_IPV6,
	SOURCE_LOCAL, /* a uid */
};

/* Where a client comes from.  Bytes that are not used are 0. */
struct source_address {
	uint8_t family; /* enum source_family */
	unsigned char bytes[16];
};

/* That of a peer: an IPv4 address in IPv6 is an IPv4 address.  0, or -1 if it
 * is neither. */
int source_address_of_peer(
    struct source_address *out_address, const struct sockaddr_storage *peer);

/* The same from an address in bytes, of AF_INET or AF_INET6. */
int source_address_of_bytes(
    struct source_address *out_address, int family, const void *bytes);

/* That of a local client. */
void source_address_of_user(struct source_address *out_address, uint32_t uid);

/* Makes an address that of its source; prefix is of IPv4 and IPv6. */
void source_address_group(
    struct source_address *address, const uint32_t prefix[2]);

/* Clears all bits of an IP address behind the first ones. */
void source_address_mask(struct source_address *address, unsigned int prefix);

/* Writes it: 192.0.2.0/24, 2001:db8::/64 or uid 7.  The prefix is that of its
 * family. */
void source_address_print(const struct source_address *address,
    const uint32_t prefix[2], char text[SOURCE_ADDRESS_TEXT_SIZE]);
