/* SPDX-License-Identifier: ISC */
#pragma once

#include "fdrecv.h"
#include "wire/datagram.h"

#include <stdint.h>

enum decode_verdict {
	DECODE_RECORD, /* a datagram of this protocol */
	DECODE_BARE,   /* at most one byte, as senders of 2002 send */
	DECODE_FOREIGN,
};

/* The contents of the header of a datagram. */
struct decode_header {
	char path[FDRECV_WIRE_PATH_MAX + 1]; /* of the rendezvous, or "" */
	uint64_t epoch;
	uint64_t sequence;
	size_t count; /* of records */
	size_t size;  /* up to the first record */
	uint16_t addressee;
};

/* Reads and checks the header.  *out_header is all zero unless the result is
 * DECODE_RECORD. */
enum decode_verdict fdrecv_decode_header(const unsigned char *payload,
    size_t size, struct decode_header *out_header);

/* Reads and checks the record at at, of at most left bytes.  Returns its size,
 * or 0 if it is not valid.  *out_cookie is the cookie of a lent socket. */
size_t fdrecv_decode_record(const unsigned char *at, size_t left,
    struct fdrecv_handoff *out_handoff, uint64_t *out_cookie);

/* Fills in what the kernel knows of a socket that came without a record: kind,
 * addresses, credentials.  Borrows fd.  0, or -1 if fd is not a socket. */
int fdrecv_decode_socket(int fd, struct fdrecv_handoff *out_handoff);
