/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record_parts.h"

#define RECORD_COPY_FD 3 /* where the config reader copies its log lines to */

/*
 * The config reader writes records of one fixed size, which the monitor and the
 * engine read: RECORD_HEADER, RECORD_SETTINGS, one RECORD_ENDPOINT for each
 * socket, those of one listener side by side, RECORD_RENDEZVOUS,
 * RECORD_CONTROL, and one or more RECORD_RULES for each listener that has
 * rules, in the order of the listeners.
 */
struct record {
	uint32_t type; /* enum record_type */
	union {
		struct record_header header;
		struct record_settings settings;
		struct record_socket socket; /* begins each of these three: */
		struct record_endpoint endpoint;
		struct record_rendezvous rendezvous;
		struct record_control control;
		struct record_rules rules;
	} u;
};

/* The uids that must differ, see record_check_ids(). */
struct record_ids {
	uint32_t monitor, reader, engine, engine_gid;
	uint32_t overflow; /* /proc/sys/kernel/overflowuid */
};

/* The socket type of a kind, SOCK_STREAM say; -1 for an unknown kind. */
int record_socket_type(uint32_t kind);

/* The path of a local socket; NULL if it is none or has an abstract name. */
const char *record_path(const struct record_socket *sock);

/* True if it accepts connections (a datagram socket does not). */
int record_has_connections(const struct record_socket *sock);

/* True if workers get the socket itself, not its connections. */
int record_is_lent(const struct record *record);

/* True if name can be a listener's: 1 to 63 letters, digits, '.', '_' or '-',
 * not beginning with '.'. */
int record_is_listener_name(const char *name);

/* Checks the fields that the monitor acts on, of a record that has a socket.
 * NULL, or what is wrong and what was expected. */
const char *record_check_bind(const struct record *record);

/* Checks every field of such a record.  Returns as above. */
const char *record_check(const struct record *record);

/* Checks that no two roles and no owner share a uid, and that only the monitor
 * has uid 0: a process could ptrace(2) another one of its uid.  Only for a
 * broker that was started as root; owner, and no other, may be RECORD_NO_ID.
 * NULL, or what is wrong and what was expected. */
const char *record_check_ids(const struct record_ids *ids, uint32_t owner);
