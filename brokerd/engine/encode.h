/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_ENCODE_H
#define ENGINE_ENCODE_H

#include "engine/handoff.h"

#include "fdrecv-wire.h"

#define ENCODE_MAX (sizeof(struct fdrecv_wire_header) + FDRECV_WIRE_RECORD_MAX)

/* Writes the payload of a datagram with this one hand-off in it, in the
 * protocol that its endpoint asks for.  Returns its size, which is 0 for
 * bare. */
size_t encode_payload(const struct handoff *handoff, uint64_t epoch,
    uint64_t sequence, unsigned char out[ENCODE_MAX]);

#endif
