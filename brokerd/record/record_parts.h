/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record_kind.h"
#include "record/record_source.h"

#include <sys/socket.h>

/* The parts of a record.  All text ends in a NUL. */

struct record_header {
	uint32_t magic;
	uint32_t version;
	uint32_t size; /* of one record */
};

struct record_settings {
	uint32_t engine_uid, engine_gid;
	uint32_t drain_timeout_s;
	uint32_t watchdog_s; /* between checks of the engine; 0: never */
};

/* A socket that the monitor binds. */
struct record_socket {
	uint32_t kind;  /* enum record_kind */
	uint32_t flags; /* enum record_flag */
	uint32_t backlog;
	uint32_t uid; /* uid, gid and mode of its file */
	uint32_t gid;
	uint32_t mode;
	uint32_t address_length;
	struct sockaddr_storage address;
	char name[RECORD_NAME_SIZE]; /* for people: tcp:127.0.0.1:80 */
};

/* A socket of a listener. */
struct record_endpoint {
	struct record_socket socket;
	uint32_t handoff;   /* enum record_handoff */
	uint32_t protocol;  /* enum record_protocol */
	uint32_t refuse;    /* enum record_refuse */
	uint32_t index;     /* of this endpoint in its listener, from 0 */
	uint32_t count;     /* of endpoints that the listener has */
	uint32_t give_up_s; /* 0: never */
	uint32_t window;    /* hand-offs that may lack a receipt */
	uint32_t receipt_timeout_s;
	uint32_t stuck_after_s;   /* 0: never */
	uint32_t redeliveries;    /* of one connection, at most */
	uint32_t max_connections; /* of one worker, 0: any number */
	uint32_t owner;           /* uid of the mailbox, or RECORD_NO_ID */
	uint32_t default_mailbox; /* the monitor makes its directory */
	struct record_source source;
	char listener[RECORD_LISTENER_SIZE];
	char mailbox[RECORD_PATH_SIZE]; /* absolute; ends in / for a pool */
	uint32_t refuse_length;
	char refuse_message[RECORD_MESSAGE_SIZE];
};

/* The socket where workers say HELLO to the engine. */
struct record_rendezvous {
	struct record_socket socket;
	uint32_t orphan_timeout_s; /* without a monitor the engine ends then */
};

/* The socket where the engine answers HTTP. */
struct record_control {
	struct record_socket socket; /* its group may ask */
	uint32_t owner; /* uid that may change things, as root may; or
			 * RECORD_NO_ID */
};
