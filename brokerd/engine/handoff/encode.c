/* SPDX-License-Identifier: ISC */
/*
 * Encodes hand-offs as datagrams, see wire/datagram.h.  Pure.
 */
#include "engine/handoff/encode.h"

#include <string.h>

static uint16_t
encode_kind(const struct handoff *handoff)
{
	if (handoff->endpoint->handoff == RECORD_CONNECTION)
		return FDRECV_WIRE_CONNECTION;
	return record_has_connections(&handoff->endpoint->socket) ?
	    FDRECV_WIRE_LISTENER :
	    FDRECV_WIRE_DATAGRAM;
}

static void
encode_part(unsigned char **at, const void *from, size_t length)
{
	memcpy(*at, from, length);
	*at += length;
}

/* Fills with zeros up to the next multiple of FDRECV_WIRE_ALIGN. */
static unsigned char *
encode_pad(const struct encode *encode, unsigned char *at)
{
	while ((size_t)(at - encode->bytes) % FDRECV_WIRE_ALIGN != 0)
		*at++ = 0;
	return at;
}

/* It fits: FDRECV_WIRE_RECORD_MAX is the sum of the limits of its parts. */
void
encode_record(struct encode *encode, const struct handoff *handoff)
{
	unsigned char *out = encode->bytes + encode->size;
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
	    .redeliveries = (uint16_t)handoff->redeliveries,
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
	size = (size_t)(encode_pad(encode, at) - out);
	record.size = (uint16_t)size;
	memcpy(out, &record, sizeof(record));
	encode->size += size;
}

void
encode_header(struct encode *encode, const struct encode_sender *sender,
    uint64_t sequence, size_t count)
{
	struct fdrecv_wire_header header = {
	    .version = FDRECV_WIRE_VERSION,
	    .fixed = sizeof(header),
	    .count = (uint16_t)count,
	    .path_length = (uint16_t)strlen(sender->rendezvous),
	    .addressee = sender->addressee,
	    .epoch = sender->epoch,
	    .sequence = sequence,
	};
	unsigned char *at = encode->bytes + sizeof(header);

	memcpy(header.magic, FDRECV_WIRE_MAGIC, FDRECV_WIRE_MAGIC_SIZE);
	encode_part(&at, sender->rendezvous, header.path_length);
	encode->size = (size_t)(encode_pad(encode, at) - encode->bytes);
	header.size = (uint16_t)encode->size;
	memcpy(encode->bytes, &header, sizeof(header));
}

/* One byte for portlisten, nothing for bare. */
static void
encode_plain(struct encode *encode, const struct handoff *handoff)
{
	encode->bytes[0] = 'x';
	encode->size = handoff->endpoint->protocol == RECORD_BARE ? 0 : 1;
}

void
encode_datagram(struct encode *encode, const struct encode_sender *sender,
    uint64_t sequence, struct handoff *const *handoffs, size_t count)
{
	if (handoffs[0]->endpoint->protocol != RECORD_AUTO) {
		encode_plain(encode, handoffs[0]);
		return;
	}
	encode_header(encode, sender, sequence, count);
	for (size_t i = 0; i < count; i++)
		encode_record(encode, handoffs[i]);
}
