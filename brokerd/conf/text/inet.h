/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/address_list.h"

/* Reads ADDRESS:PORT of a tcp or udp address and appends what it means: an
 * IPv4 address, an IPv6 address in brackets, "*" or a host name.  0, or -1 and
 * reason. */
int inet_parse(struct address_list *list, uint32_t kind, const char *text,
    struct reason *reason);

/* True if the machine has the IPv4 or IPv6 address of a record now, whatever
 * its port. */
int inet_is_here(const struct record_socket *sock);
