/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/address_list.h"

/* Reads KIND:ADDRESS.  With has_ipv6 0 host names and "*" give IPv4 only.
 * address_list_done() is for success only.  0, or -1 and the reason. */
int address_parse(struct address_list *list, const char *text, int has_ipv6,
    struct reason *reason);
