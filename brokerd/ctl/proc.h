/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

/* Gives rows about lent sockets: listener, sockets, pid, program, uid and
 * since_ms.  From status, the answer to brokerctl status, come the processes
 * that the engine has lent them to; from /proc come all processes that have
 * some, without since_ms, but for the broker's own and for children that have
 * what their parent has.  sockets is "1/2" if the process has one of two, "?/2"
 * if this user may not see that. */
json_t *proc_list_holders(const json_t *status);

/* Gives rows about processes, but for the broker's, whose sockets contain
 * descriptors that they have not received, from any sender: unread, pid,
 * program and uid.  Only root sees the processes of other users. */
json_t *proc_list_unread(const json_t *broker);
