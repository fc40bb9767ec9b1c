/* SPDX-License-Identifier: ISC */
/*
 * Hand-offs of any lengths, filled so that a byte in a wrong place is seen.
 */
#include "parcel.h"

const struct parcel parcel_longest = {63, 128, 128, 255};
struct record_endpoint parcel_endpoint;

struct handoff
parcel_make(const struct parcel *lengths, unsigned int n)
{
	struct handoff handoff = {.endpoint = &parcel_endpoint,
	    .fd = -1,
	    .redeliveries = 0x0102 + n,
	    .accept_time_ns = UINT64_C(1700000000123456789) + n,
	    .cookie = UINT64_C(0x1112131415161718) + n,
	    .peer_length = lengths->peer,
	    .local_length = lengths->local,
	    .has_credentials = 1,
	    .credentials = {.pid = 0x21222324,
		.uid = 0x31323334 + n,
		.gid = 0x41424344},
	    .label_length = lengths->label};

	parcel_endpoint = (struct record_endpoint){.kind = RECORD_UNIX_STREAM,
	    .handoff = RECORD_CONNECTION,
	    .protocol = RECORD_AUTO,
	    .index = 0x0304,
	    .count = 0x0506};
	for (size_t i = 0; i < lengths->listener; i++)
		parcel_endpoint.listener[i] = (char)('a' + i % 26);
	for (size_t i = 0; i < sizeof(handoff.peer); i++) {
		((unsigned char *)&handoff.peer)[i] = (unsigned char)(i + n);
		((unsigned char *)&handoff.local)[i] = (unsigned char)(255 - i);
	}
	for (size_t i = 0; i < lengths->label; i++)
		handoff.label[i] = (char)('A' + (i + n) % 26);
	return handoff;
}
