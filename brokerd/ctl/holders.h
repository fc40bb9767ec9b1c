/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

/* Gives a row for each listener whose sockets are lent and process that has
 * them, according to /proc, or was lent them, according to status, the answer
 * to brokerctl status: listener, pid, program, uid, sockets and since_ms.
 * sockets is "1/2" if the process has one of two, and "?/2" if this user may
 * not know.  Children of a process that has the same are left out.  NULL: no
 * sockets are lent. */
json_t *holders_find(const json_t *status);
