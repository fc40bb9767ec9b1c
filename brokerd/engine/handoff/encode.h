/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/handoff.h"

#include "wire/datagram.h"

/* A datagram under construction. */
struct encode {
	unsigned char *bytes; /* of FDRECV_WIRE_DATAGRAM_MAX */
	size_t size;
};

/* What a header says of the engine, and to which process. */
struct encode_sender {
	uint64_t epoch;
	uint16_t addressee;     /* see struct fdrecv_wire_header */
	const char *rendezvous; /* at most FDRECV_WIRE_PATH_MAX bytes, or "" */
};

/* Starts with the header for count records, of which the first has that
 * sequence number. */
void encode_header(struct encode *encode, const struct encode_sender *sender,
    uint64_t sequence, size_t count);

/* Appends the record of a hand-off. */
void encode_record(struct encode *encode, const struct handoff *handoff);

/* Writes a datagram of count hand-offs, of which the first has that sequence
 * number.  If its endpoint's protocol is another one, the datagram has neither
 * header nor records, and count is 1. */
void encode_datagram(struct encode *encode, const struct encode_sender *sender,
    uint64_t sequence, struct handoff *const *handoffs, size_t count);
