/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_WIRE_DATAGRAM_H
#define FDRECV_WIRE_DATAGRAM_H

#include <stdint.h>

/*
 * What an engine sends to a mailbox; doc/PROTOCOL.md explains it.  Not
 * installed: programs use fdrecv.h, other languages that page.  Integers are
 * in the host's byte order, since both ends are on one machine.  Every
 * structure tells its own size, so that a later version can put more behind
 * what is known here.
 */

#define FDRECV_WIRE_MAGIC_SIZE 4
#define FDRECV_WIRE_MAGIC "xfdr" /* 2002 receivers see the byte 'x' */
#define FDRECV_WIRE_VERSION 1
#define FDRECV_WIRE_ALIGN 8
#define FDRECV_WIRE_BATCH_MAX 64 /* records in a datagram */
#define FDRECV_WIRE_PATH_MAX 107
#define FDRECV_WIRE_LISTENER_MAX 63
#define FDRECV_WIRE_ADDRESS_MAX 128
#define FDRECV_WIRE_LABEL_MAX 255
#define FDRECV_WIRE_HEADER_MAX 144 /* with the path of the rendezvous */
#define FDRECV_WIRE_RECORD_MAX 640 /* one record with all its parts */
#define FDRECV_WIRE_DATAGRAM_MAX  \
	(FDRECV_WIRE_HEADER_MAX + \
	    FDRECV_WIRE_BATCH_MAX * FDRECV_WIRE_RECORD_MAX)

enum fdrecv_wire_kind {
	FDRECV_WIRE_CONNECTION = 1,
	FDRECV_WIRE_LISTENER = 2,
	FDRECV_WIRE_DATAGRAM = 3,
};

enum fdrecv_wire_flag {
	FDRECV_WIRE_CREDENTIALS = 1 << 0, /* pid, uid and gid are known */
};

/* A datagram to a mailbox: this, the path of the rendezvous socket, zeros up
 * to size, and the records.  A payload that does not begin with the magic is
 * a hand-off of the 2002 kind: one descriptor, at most one byte, no record. */
struct fdrecv_wire_header {
	char magic[FDRECV_WIRE_MAGIC_SIZE];
	uint16_t version;
	uint16_t fixed; /* of this structure: the path is there */
	uint16_t size;  /* with the path: the first record is there */
	uint16_t count; /* of records, and of descriptors, in that order */
	uint16_t path_length;
	uint16_t reserved;
	uint64_t epoch;    /* of the engine, random */
	uint64_t sequence; /* of the first record; each next one is one more */
};

/* Followed by listener, peer, local and label, in this order and of the
 * lengths given here, then zeros up to size. */
struct fdrecv_wire_record {
	uint16_t size;  /* of the whole record, a multiple of 8 */
	uint16_t fixed; /* of this structure: the first part is there */
	uint16_t kind;
	uint16_t flags;
	uint16_t listener_length; /* bytes of the listener's name */
	uint16_t peer_length;     /* of a sockaddr, as accept(2) has it */
	uint16_t local_length;    /* of a sockaddr, as getsockname(2) has it */
	uint16_t label_length;    /* of the peer's security label */
	uint16_t endpoint_index;
	uint16_t endpoint_count;
	uint16_t redeliveries;
	uint16_t reserved;
	uint64_t accept_time_ns; /* CLOCK_REALTIME */
	uint64_t cookie;         /* SO_COOKIE of a lent socket, else 0 */
	uint32_t pid;
	uint32_t uid;
	uint32_t gid;
	uint32_t reserved2;
};

#endif
