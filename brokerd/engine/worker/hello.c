/* SPDX-License-Identifier: ISC */
/*
 * Decodes HELLO.  Engine, unprivileged.  Pure.  Any process may connect to the
 * rendezvous socket and send anything.
 */
#include "engine/worker/hello.h"

#include "wire/link.h"

#include <string.h>

int
hello_decode(const unsigned char *bytes, size_t size, struct hello *out)
{
	struct fdrecv_wire_hello wire;

	if (size < sizeof(wire))
		return -1;
	memcpy(&wire, bytes, sizeof(wire));
	if (memcmp(wire.magic, FDRECV_WIRE_HELLO_MAGIC,
		FDRECV_WIRE_MAGIC_SIZE) != 0 ||
	    wire.version != FDRECV_WIRE_VERSION || wire.size < sizeof(wire) ||
	    wire.name_length == 0 || wire.name_length >= sizeof(out->name) ||
	    wire.size > size || wire.name_length > size - wire.size ||
	    wire.instance == 0 || wire.weight == 0 ||
	    wire.weight > FDRECV_WIRE_WEIGHT_MAX)
		return -1;
	*out = (struct hello){.device = wire.device,
	    .inode = wire.inode,
	    .instance = wire.instance,
	    .weight = wire.weight,
	    .connections = wire.connections,
	    .counts_connections = (wire.flags & FDRECV_WIRE_COUNTED) != 0,
	    .paused = (wire.flags & FDRECV_WIRE_PAUSED) != 0,
	    .dead = wire.dead,
	    .takes_ring = (wire.flags & FDRECV_WIRE_OFFER) != 0,
	    .takes_link = (wire.flags & FDRECV_WIRE_LINK) != 0};
	memcpy(out->name, bytes + wire.size, wire.name_length);
	return 0;
}
