/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_DECODE_H
#define FDRECV_DECODE_H

#include "fdrecv.h"

#include <stdint.h>

/* What a datagram turned out to be. */
enum decode_verdict {
	DECODE_RECORD, /* of this protocol: handoff is filled in but for fd */
	DECODE_BARE,   /* of the 2002 kind: at most one byte */
	DECODE_FOREIGN,
};

/* Reads one datagram's payload.  Everything in it is checked; handoff is
 * written only for DECODE_RECORD.  *out_cookie is that of a lent socket. */
enum decode_verdict fdrecv_decode_payload(const unsigned char *payload,
    size_t size, struct fdrecv_handoff *handoff, uint64_t *out_cookie);

/* Fills in what fd itself tells, when its sender told nothing: kind,
 * addresses, credentials.  Borrows fd.  0, or -1 if fd is no socket. */
int fdrecv_decode_socket(int fd, struct fdrecv_handoff *handoff);

#endif
