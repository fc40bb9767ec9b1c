/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/*
 * The datagrams that an engine sends to a mailbox; doc/PROTOCOL.md specifies
 * them.  Not installed: programs use fdrecv.h, other languages use that page.
 * Integers are in the host's byte order, since both ends are on one machine.
 * Each structure contains its own size, so that a later version can add members
 * at its end.
 */

#define FDRECV_WIRE_MAGIC_SIZE 4
#define FDRECV_WIRE_MAGIC "xfdr" /* receivers of 2002 see the byte 'x' */
#define FDRECV_WIRE_VERSION 1
#define FDRECV_WIRE_ALIGN 8      /* of the sizes of headers and records */
#define FDRECV_WIRE_BATCH_MAX 64 /* records in a datagram */
#define FDRECV_WIRE_PATH_MAX 107
#define FDRECV_WIRE_LISTENER_MAX 63
#define FDRECV_WIRE_ADDRESS_MAX 128
#define FDRECV_WIRE_LABEL_MAX 255
#define FDRECV_WIRE_HEADER_MAX 144 /* a header with its path */
#define FDRECV_WIRE_RECORD_MAX 640 /* a record with its parts */
#define FDRECV_WIRE_DATAGRAM_MAX  \
	(FDRECV_WIRE_HEADER_MAX + \
	    FDRECV_WIRE_BATCH_MAX * FDRECV_WIRE_RECORD_MAX)

enum fdrecv_wire_kind {
	FDRECV_WIRE_CONNECTION = 1, /* an accepted connection */
	FDRECV_WIRE_LISTENER = 2,   /* a listening socket, lent */
	FDRECV_WIRE_DATAGRAM = 3,   /* a bound datagram socket, lent */
};

enum fdrecv_wire_flag {
	FDRECV_WIRE_CREDENTIALS = 1 << 0, /* pid, uid and gid are known */
};

/* In the mode of a mailbox: its worker takes links.  A link is a descriptor
 * behind those of the records. */
#define FDRECV_WIRE_LINK_MODE 01000

/* The addressee is the last 16 bits of the instance in a process's HELLO.  If
 * that process dies, the engine sends these hand-offs to others, so a process
 * that takes the mailbox over drops them. */
#define FDRECV_WIRE_TO_UNKNOWN 0          /* no HELLO has come yet */
#define FDRECV_WIRE_TO_ANYBODY UINT16_MAX /* who receives it has it */

/* The header of a datagram, followed by the path of the rendezvous socket,
 * zeros up to size, and the records.  A datagram of at most one byte is a
 * hand-off without a record, as senders of 2002 send it. */
struct fdrecv_wire_header {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t fixed; /* size of this structure: the path begins there */
	uint16_t size;  /* with the path: the first record begins there */
	uint16_t count; /* of records, and of descriptors in that order */
	uint16_t path_length;
	uint16_t addressee; /* the process that it was sent to, see below */
	uint64_t epoch;     /* of the engine, random */
	uint64_t sequence;  /* of the first record; each next one has 1 more */
};

/* A record, followed by listener, peer, local and label in this order and with
 * these lengths, and by zeros up to size. */
struct fdrecv_wire_record {
	uint16_t size;  /* of the whole record, a multiple of 8 */
	uint16_t fixed; /* size of this structure: listener begins there */
	uint16_t kind;  /* enum fdrecv_wire_kind */
	uint16_t flags; /* enum fdrecv_wire_flag */
	uint16_t listener_length; /* bytes of the listener's name */
	uint16_t peer_length;     /* of the client's address, see accept(2) */
	uint16_t local_length;    /* of the address of getsockname(2) */
	uint16_t label_length;    /* of the client's security label */
	uint16_t endpoint_index;  /* which of the listener's endpoints */
	uint16_t endpoint_count;  /* number of the listener's endpoints */
	uint16_t redeliveries;    /* number of workers that had it before */
	uint16_t reserved;
	uint64_t accept_time_ns; /* CLOCK_REALTIME */
	uint64_t cookie;         /* SO_COOKIE of a lent socket, else 0 */
	uint32_t pid;            /* of a local client, likewise the next two */
	uint32_t uid;
	uint32_t gid;
	uint32_t reserved2;
};
