/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* The limits of a record, and the meaning of the numbers in it. */

#define RECORD_MAGIC 0x62726b31U /* "brk1" */
#define RECORD_VERSION 4
#define RECORD_NO_ID UINT32_MAX /* uid, gid or mode that was not given */
#define RECORD_WINDOW_MAX 256   /* hand-offs without a receipt */
#define RECORD_MAX 16384        /* records of one configuration */
#define RECORD_PATH_SIZE 108    /* sun_path, see unix(7) */
#define RECORD_LISTENER_SIZE 64
#define RECORD_NAME_SIZE 136
#define RECORD_MESSAGE_SIZE 1024

enum record_type {
	RECORD_HEADER = 1,
	RECORD_SETTINGS,
	RECORD_ENDPOINT,
	RECORD_RENDEZVOUS,
	RECORD_CONTROL,
	RECORD_RULES, /* all behind the sockets */
};

enum record_kind {
	RECORD_TCP = 1,
	RECORD_UDP,
	RECORD_UNIX_STREAM,
	RECORD_UNIX_DGRAM,
	RECORD_UNIX_SEQPACKET,
};

enum record_handoff {
	RECORD_CONNECTION = 1,
	RECORD_LISTENER,
};

enum record_protocol {
	RECORD_AUTO = 1,
	RECORD_PORTLISTEN,
	RECORD_BARE,
};

enum record_refuse {
	RECORD_CLOSE = 1,
	RECORD_RESET,
	RECORD_MESSAGE,
};

enum record_flag {
	RECORD_V6ONLY = 1 << 0,
	RECORD_NODELAY = 1 << 1,
	RECORD_KEEPALIVE = 1 << 2,
	RECORD_FREEBIND = 1 << 3,
	RECORD_PASS_CREDENTIALS = 1 << 4,
	RECORD_PASS_SECURITY = 1 << 5,
	RECORD_REUSEADDR = 1 << 6, /* every TCP socket, and no other */
	RECORD_DUAL = 1 << 7,      /* IPv6 takes IPv4 too */
	RECORD_OPTIONAL = 1 << 8,  /* the others serve without it */
	RECORD_KEEP = 1 << 9,      /* lent: stays with its programs when it is
				    * removed */
	RECORD_REUSEPORT = 1 << 10,
};
