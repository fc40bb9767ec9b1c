/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_LIB_DECODE_H
#define FDRECV_LIB_DECODE_H

#include "fdrecv.h"
#include "wire/datagram.h"

#include <stdint.h>

/* What a datagram turned out to be. */
enum decode_verdict {
	DECODE_RECORD, /* of this protocol */
	DECODE_BARE,   /* of the 2002 kind: at most one byte */
	DECODE_FOREIGN,
};

/* The header of a datagram. */
struct decode_head {
	char path[FDRECV_WIRE_PATH_MAX + 1]; /* of the rendezvous, or "" */
	uint64_t epoch;
	uint64_t sequence;
	size_t count; /* of records */
	size_t size;  /* up to the first record */
};

/* Reads the header, of which everything is checked.  *out_head is all zero
 * for anything but DECODE_RECORD. */
enum decode_verdict fdrecv_decode_head(
    const unsigned char *payload, size_t size, struct decode_head *out_head);

/* Reads a record, of which everything is checked.  Returns its size, or 0 with
 * handoff unchanged.  *out_cookie is that of a lent socket. */
size_t fdrecv_decode_record(const unsigned char *at, size_t left,
    struct fdrecv_handoff *handoff, uint64_t *out_cookie);

/* Fills in what fd itself tells, when its sender told nothing: kind,
 * addresses, credentials.  Borrows fd.  0, or -1 if fd is no socket. */
int fdrecv_decode_socket(int fd, struct fdrecv_handoff *handoff);

#endif
