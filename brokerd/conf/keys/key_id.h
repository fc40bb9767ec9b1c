/* SPDX-License-Identifier: ISC */
#pragma once

/* The keys of the configuration, see keys.h; their order is the manual's. */
enum key_id {
	KEY_USER,
	KEY_DRAIN_TIMEOUT,
	KEY_ORPHAN_TIMEOUT,
	KEY_WATCHDOG,
	KEY_START,
	KEY_CONTROL_GROUP,
	KEY_LISTEN, /* the first key of a listener */
	KEY_HANDOFF,
	KEY_ON_REMOVAL,
	KEY_MAILBOX,
	KEY_OWNER,
	KEY_PROTOCOL,
	KEY_WINDOW,
	KEY_RECEIPT_TIMEOUT,
	KEY_STUCK_AFTER,
	KEY_REDELIVERIES,
	KEY_MAX_CONNECTIONS,
	KEY_GIVE_UP,
	KEY_REFUSE,
	KEY_REFUSE_MESSAGE,
	KEY_ALLOW,
	KEY_DENY,
	KEY_MAX_PER_SOURCE,
	KEY_RATE_PER_SOURCE,
	KEY_SOURCE_PREFIX,
	KEY_ACCEPT_AHEAD,
	KEY_BACKLOG,
	KEY_V6ONLY,
	KEY_NODELAY,
	KEY_KEEPALIVE,
	KEY_FREEBIND,
	KEY_REUSE_PORT,
	KEY_SOCKET_USER,
	KEY_SOCKET_GROUP,
	KEY_SOCKET_MODE,
	KEY_PASS_CREDENTIALS,
	KEY_PASS_SECURITY,
	KEY_COUNT,
};

enum key_type {
	KEY_TYPE_LIST,
	KEY_TYPE_TEXT,
	KEY_TYPE_CHOICE, /* counts from 1 in the order of its range */
	KEY_TYPE_NUMBER,
	KEY_TYPE_BOOLEAN,
	KEY_TYPE_MODE,
	KEY_TYPE_USER,
	KEY_TYPE_GROUP,
};

/* Properties of an endpoint without which a key has no effect on it. */
enum key_need {
	KEY_NEEDS_TCP = 1 << 0,
	KEY_NEEDS_INET = 1 << 1,
	KEY_NEEDS_UNIX = 1 << 2,
	KEY_NEEDS_PATH = 1 << 3,
	KEY_NEEDS_CONNECTIONS = 1 << 4,
	KEY_NEEDS_HANDOFF = 1 << 5, /* of connections */
	KEY_NEEDS_LENT = 1 << 6,    /* hand-off of the socket itself */
};
