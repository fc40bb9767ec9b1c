/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>

#include <netinet/in.h>

/*
 * A lent IPv4 socket in the place of a program's IPv6 socket: how the program
 * sees its addresses and options.
 */

/* The IPv4 address that a bind(2) of an IPv6 socket with IPv4 means: that of
 * ::ffff:a.b.c.d, or 0.0.0.0 for ::.  0, or -1 if it means none. */
int mapped_to_inet(const struct sockaddr *address, socklen_t length,
    struct sockaddr_in *out_address);

/* Writes an address for the program, as accept(2) writes it: an IPv4 one as an
 * IPv6 one.  The caller's address may be NULL. */
void mapped_write(const struct sockaddr_storage *found, socklen_t found_length,
    struct sockaddr *address, socklen_t *length);

/* Replaces an option of IPv6 by that of IPv4 with the same meaning.  True if
 * there is one. */
int mapped_option(int *level, int *name);
