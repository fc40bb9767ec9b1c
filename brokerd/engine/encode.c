/* SPDX-License-Identifier: ISC */
/*
 * From a hand-off to the bytes on the wire, see fdrecv-wire.h.  Pure.
 */
#include "engine/encode.h"

#include <string.h>

static uint16_t
encode_kind(const struct handoff *handoff)
{
	if (handoff->endpoint->handoff == RECORD_CONNECTION)
		return FDRECV_WIRE_CONNECTION;
	return record_has_connections(handoff->endpoint) ?
	    FDRECV_WIRE_LISTENER :
	    FDRECV_WIRE_DATAGRAM;
}

static void
encode_part(unsigned char **at, const void *from, size_t length)
{
	memcpy(*at, from, length);
	*at += length;
}

/* Returns the size of the record, which fits: each part has a limit, and
 * FDRECV_WIRE_RECORD_MAX is their sum. */
static size_t
encode_record(const struct handoff *handoff, unsigned char *out)
{
	const struct record_endpoint *endpoint = handoff->endpoint;
	size_t listener_length = strlen(endpoint->listener), size;
	unsigned char *at = out + sizeof(struct fdrecv_wire_record);
	struct fdrecv_wire_record record = {
	    .fixed = sizeof(record),
	    .kind = encode_kind(handoff),
	    .listener_length = (uint16_t)listener_length,
	    .peer_length = (uint16_t)handoff->peer_length,
	    .local_length = (uint16_t)handoff->local_length,
	    .label_length = (uint16_t)handoff->label_length,
	    .endpoint_index = (uint16_t)endpoint->index,
	    .endpoint_count = (uint16_t)endpoint->count,
	    .accept_time_ns = handoff->accept_time_ns,
	    .cookie = handoff->cookie,
	};

	if (handoff->has_credentials) {
		record.flags = FDRECV_WIRE_CREDENTIALS;
		record.pid = (uint32_t)handoff->credentials.pid;
		record.uid = handoff->credentials.uid;
		record.gid = handoff->credentials.gid;
	}
	encode_part(&at, endpoint->listener, listener_length);
	encode_part(&at, &handoff->peer, handoff->peer_length);
	encode_part(&at, &handoff->local, handoff->local_length);
	encode_part(&at, handoff->label, handoff->label_length);
	for (size = (size_t)(at - out); size % FDRECV_WIRE_ALIGN != 0; size++)
		*at++ = 0;
	record.size = (uint16_t)size;
	memcpy(out, &record, sizeof(record));
	return size;
}

size_t
encode_payload(const struct handoff *handoff, uint64_t epoch, uint64_t sequence,
    unsigned char out[ENCODE_MAX])
{
	struct fdrecv_wire_header header = {
	    .magic = {'x', 'f', 'd', 'r'},
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(header),
	    .count = 1,
	    .epoch = epoch,
	    .sequence = sequence,
	};

	if (handoff->endpoint->protocol == RECORD_BARE)
		return 0;
	if (handoff->endpoint->protocol == RECORD_PORTLISTEN) {
		out[0] = 'x';
		return 1;
	}
	memcpy(out, &header, sizeof(header));
	return sizeof(header) + encode_record(handoff, out + sizeof(header));
}
