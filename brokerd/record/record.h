/* SPDX-License-Identifier: ISC */
#ifndef RECORD_RECORD_H
#define RECORD_RECORD_H

#include "record/record_parts.h"

#include <sys/socket.h>

#include <stdint.h>

/*
 * What the config reader writes and the monitor and the engine read: records
 * of one fixed size, in an array that starts with RECORD_HEADER.  It goes on
 * either with RECORD_SETTINGS and one RECORD_ENDPOINT for each socket, those
 * of one listener side by side, or with RECORD_DIAGNOSTICs alone.
 */

/* One socket to bind.  All text ends in a NUL. */
struct record_endpoint {
	uint32_t kind;     /* enum record_kind */
	uint32_t handoff;  /* enum record_handoff */
	uint32_t protocol; /* enum record_protocol */
	uint32_t refuse;   /* enum record_refuse */
	uint32_t flags;    /* enum record_flag */
	uint32_t index;    /* of this endpoint in its listener, from 0 */
	uint32_t count;    /* of endpoints that the listener has */
	uint32_t backlog;
	uint32_t give_up_s; /* 0: never */
	uint32_t window;    /* hand-offs that may lack a receipt */
	uint32_t receipt_timeout_s;
	uint32_t redeliveries;    /* of one connection, at most */
	uint32_t max_connections; /* of one worker, 0: any number */
	uint32_t owner;           /* uid of the mailbox, or RECORD_NO_ID */
	uint32_t socket_uid;
	uint32_t socket_gid;
	uint32_t socket_mode;
	uint32_t address_length;
	struct sockaddr_storage address;
	char listener[RECORD_LISTENER_SIZE];
	char name[RECORD_NAME_SIZE]; /* as people read it: tcp:127.0.0.1:80 */
	char mailbox[RECORD_PATH_SIZE]; /* absolute; ends in / for a pool */
	uint32_t refuse_length;
	char refuse_message[RECORD_MESSAGE_SIZE];
};

struct record {
	uint32_t type; /* enum record_type */
	uint32_t line; /* of the configuration file, 0: none */
	union {
		struct record_header header;
		struct record_settings settings;
		struct record_endpoint endpoint;
		struct record_diagnostic diagnostic;
	} u;
};

/* The uids that must not meet, see record_check_ids(). */
struct record_ids {
	uint32_t monitor, reader, engine, engine_gid;
	uint32_t overflow; /* /proc/sys/kernel/overflowuid */
};

/* The socket type of a kind, SOCK_STREAM say; -1 for an unknown kind. */
int record_socket_type(uint32_t kind);

/* True if the endpoint is a path in the file system. */
int record_is_path(const struct record_endpoint *endpoint);

/* True if the endpoint accepts connections (a datagram socket does not). */
int record_has_connections(const struct record_endpoint *endpoint);

/* True if it is a name for a listener: 1 to 63 letters, digits, '.', '_' or
 * '-', not beginning with '.'. */
int record_is_listener_name(const char *name);

/* Checks every field of an endpoint, whoever wrote it.  NULL, or what is
 * wrong and what was expected. */
const char *record_check(const struct record_endpoint *endpoint);

/* Checks that no two roles and no owner share a uid, and that none but the
 * monitor has uid 0: the owner of one could ptrace(2) the other.  Only for a
 * broker that was started as root; owner, and no other, may be RECORD_NO_ID.
 * NULL, or what is wrong and what was expected. */
const char *record_check_ids(const struct record_ids *ids, uint32_t owner);

#endif
