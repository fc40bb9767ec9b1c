/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/text/address_list.h"

/* Reads KIND:ADDRESS.  address_list_done() is for success only.  0, or -1 and
 * the reason. */
int address_parse(
    struct address_list *list, const char *text, struct reason *reason);

/* Fills list with one address of family AF_UNSPEC, which stands for a text that
 * is right, but has no address for now.  0, or -1 and the reason. */
int address_unknown(
    struct address_list *list, const char *text, struct reason *reason);
