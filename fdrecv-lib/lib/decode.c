/* SPDX-License-Identifier: ISC */
/*
 * Turns the bytes of a datagram into hand-offs.  Runs in the worker.  Pure,
 * except that fdrecv_decode_socket() asks the kernel about a socket.  Anybody
 * who may write to the mailbox can send a datagram, so every value is checked.
 */
#include "lib/decode.h"

#include "wire/datagram.h"

#include <string.h>

/* One of the parts of variable length that follow the structure. */
struct decode_part {
	void *to;
	size_t room;
	uint16_t length;
};

static int
decode_parts_fit(const struct decode_part *parts, size_t count, size_t left)
{
	for (size_t i = 0; i < count; i++) {
		if (parts[i].length > left || parts[i].length > parts[i].room)
			return 0;
		left -= parts[i].length;
	}
	return 1;
}

static void
decode_parts(
    const unsigned char *at, const struct decode_part *parts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memcpy(parts[i].to, at, parts[i].length);
		at += parts[i].length;
	}
}

static int
decode_is_address(uint16_t length)
{
	return length == 0 || length >= sizeof(sa_family_t);
}

static void
decode_fixed(
    const struct fdrecv_wire_record *record, struct fdrecv_handoff *handoff)
{
	int known = (record->flags & FDRECV_WIRE_CREDENTIALS) != 0;

	handoff->kind = (enum fdrecv_kind)record->kind;
	handoff->endpoint_index = record->endpoint_index;
	handoff->endpoint_count = record->endpoint_count;
	handoff->redeliveries = record->redeliveries;
	handoff->accepted.tv_sec =
	    (time_t)(record->accept_time_ns / 1000000000);
	handoff->accepted.tv_nsec = (long)(record->accept_time_ns % 1000000000);
	handoff->peer_length = record->peer_length;
	handoff->local_length = record->local_length;
	handoff->pid = known ? (pid_t)record->pid : -1;
	handoff->uid = known ? record->uid : (uid_t)-1;
	handoff->gid = known ? record->gid : (gid_t)-1;
}

size_t
fdrecv_decode_record(const unsigned char *at, size_t left,
    struct fdrecv_handoff *out_handoff, uint64_t *out_cookie)
{
	struct fdrecv_wire_record record;

	if (left < sizeof(record))
		return 0;
	memcpy(&record, at, sizeof(record));
	if (record.size == 0 || record.size > left ||
	    record.fixed > record.size || record.fixed < sizeof(record) ||
	    record.kind < FDRECV_WIRE_CONNECTION ||
	    record.kind > FDRECV_WIRE_DATAGRAM)
		return 0;
	const struct decode_part parts[] = {
	    {out_handoff->listener, FDRECV_LISTENER_SIZE - 1,
		record.listener_length},
	    {&out_handoff->peer, sizeof(out_handoff->peer), record.peer_length},
	    {&out_handoff->local, sizeof(out_handoff->local),
		record.local_length},
	    {out_handoff->label, FDRECV_LABEL_SIZE - 1, record.label_length}};
	const size_t count = sizeof(parts) / sizeof(parts[0]);

	if (!decode_parts_fit(parts, count, record.size - record.fixed) ||
	    !decode_is_address(record.peer_length) ||
	    !decode_is_address(record.local_length))
		return 0;
	*out_handoff = (struct fdrecv_handoff)FDRECV_HANDOFF_INIT;
	decode_parts(at + record.fixed, parts, count);
	decode_fixed(&record, out_handoff);
	*out_cookie = record.cookie;
	return record.size;
}

enum decode_verdict
fdrecv_decode_header(
    const unsigned char *payload, size_t size, struct decode_header *out_header)
{
	struct fdrecv_wire_header header;

	memset(out_header, 0, sizeof(*out_header));
	if (size <= 1)
		return DECODE_BARE;
	if (size < sizeof(header))
		return DECODE_FOREIGN;
	memcpy(&header, payload, sizeof(header));
	if (memcmp(header.magic, FDRECV_WIRE_MAGIC, FDRECV_WIRE_MAGIC_SIZE) !=
		0 ||
	    header.version != FDRECV_WIRE_VERSION || header.count == 0 ||
	    header.epoch == 0 || header.fixed < sizeof(header) ||
	    header.size < header.fixed || header.size > size ||
	    header.path_length > FDRECV_WIRE_PATH_MAX ||
	    header.path_length > header.size - header.fixed)
		return DECODE_FOREIGN;
	memcpy(out_header->path, payload + header.fixed, header.path_length);
	out_header->epoch = header.epoch;
	out_header->sequence = header.sequence;
	out_header->count = header.count;
	out_header->size = header.size;
	out_header->addressee = header.addressee;
	return DECODE_RECORD;
}

static void
decode_credentials(int fd, struct fdrecv_handoff *handoff)
{
	struct ucred peer = {.pid = -1, .uid = (uid_t)-1, .gid = (gid_t)-1};
	socklen_t size = sizeof(peer);

	if (handoff->local.ss_family != AF_UNIX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1 ||
	    size != sizeof(peer))
		return;
	handoff->pid = peer.pid;
	handoff->uid = peer.uid;
	handoff->gid = peer.gid;
}

int
fdrecv_decode_socket(int fd, struct fdrecv_handoff *out_handoff)
{
	struct fdrecv_handoff found = FDRECV_HANDOFF_INIT;
	int type, listening = 0;
	socklen_t size = sizeof(type);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == -1)
		return -1;
	size = sizeof(listening);
	getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size);
	found.kind = listening ? FDRECV_LISTENER :
	    type == SOCK_DGRAM ? FDRECV_DATAGRAM :
				 FDRECV_CONNECTION;
	found.endpoint_count = 1;
	found.pid = -1;
	found.uid = (uid_t)-1;
	found.gid = (gid_t)-1;
	clock_gettime(CLOCK_REALTIME, &found.accepted);
	found.local_length = sizeof(found.local);
	if (getsockname(
		fd, (struct sockaddr *)&found.local, &found.local_length) == -1)
		found.local_length = 0;
	found.peer_length = sizeof(found.peer);
	if (getpeername(
		fd, (struct sockaddr *)&found.peer, &found.peer_length) == -1)
		found.peer_length = 0;
	if (found.kind == FDRECV_CONNECTION)
		decode_credentials(fd, &found);
	*out_handoff = found;
	return 0;
}
