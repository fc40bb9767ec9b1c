/* SPDX-License-Identifier: ISC */
#ifndef UNIT_SAMPLE_H
#define UNIT_SAMPLE_H

#include "record/record.h"

/* Endpoint records that are right in every respect, to be used as they are or
 * to be spoiled in one.  The listener is "www", its mailbox /nowhere/mailbox,
 * handed off are connections, or datagram sockets themselves. */

/* kind is RECORD_TCP or RECORD_UDP; address a numeric one of either family. */
struct record_endpoint sample_inet(
    uint32_t kind, const char *address, uint16_t port);

/* path may be @name. */
struct record_endpoint sample_unix(uint32_t kind, const char *path);

/* Asserts that record_check() finds fault with record and says wrong among
 * other words; NULL: that it finds none.  what is for the message. */
void sample_check(
    const struct record_endpoint *record, const char *wrong, const char *what);

#endif
