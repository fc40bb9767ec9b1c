/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_HANDOFF_ENCODE_H
#define ENGINE_HANDOFF_ENCODE_H

#include "engine/handoff/handoff.h"

#include "wire/datagram.h"

/* A datagram that is being put together. */
struct encode {
	unsigned char *bytes; /* of FDRECV_WIRE_DATAGRAM_MAX */
	size_t size;
};

/* Writes the header for count records, the first of that sequence.
 * rendezvous is a path of at most FDRECV_WIRE_PATH_MAX bytes, or "". */
void encode_header(struct encode *encode, const char *rendezvous,
    uint64_t epoch, uint64_t sequence, size_t count);

/* Appends the record of a hand-off. */
void encode_record(struct encode *encode, const struct handoff *handoff);

/* Writes a datagram of count hand-offs, the first of that sequence: with
 * records, or alone and plain where its endpoint says so. */
void encode_datagram(struct encode *encode, const char *rendezvous,
    uint64_t epoch, uint64_t sequence, struct handoff *const *handoffs,
    size_t count);

/* The payload that carries one hand-off without a record, in place of both:
 * one byte for portlisten, nothing for bare. */
void encode_plain(struct encode *encode, const struct handoff *handoff);

#endif
