/* SPDX-License-Identifier: ISC */
/*
 * Sockets that cannot be bound together, in the config reader: bind(2) would
 * find this out only after it has bound the first one.
 */
#include "conf/check/overlap.h"

#include <netinet/in.h>

#include <stdlib.h>
#include <string.h>

enum overlap_extent {
	OVERLAP_NONE,
	OVERLAP_ONE,
	OVERLAP_ALL,
};

/* The part of IPv4 and of IPv6 that an address includes. */
struct overlap_cover {
	enum overlap_extent in;
	enum overlap_extent in6;
	struct in_addr address;
	struct in6_addr address6;
	uint32_t scope;
};

struct overlap_entry {
	const struct record *record;
	struct location at;
	struct overlap_cover cover;
};

static int
overlap_is_unix(const struct record_socket *sock)
{
	return sock->address.ss_family == AF_UNIX;
}

static void
overlap_cover(struct overlap_cover *cover, const struct record_socket *sock)
{
	const struct sockaddr_in *in = (const void *)&sock->address;
	const struct sockaddr_in6 *in6 = (const void *)&sock->address;
	const struct in6_addr *a6 = &in6->sin6_addr;

	memset(cover, 0, sizeof(*cover));
	if (overlap_is_unix(sock)) {
		cover->in = OVERLAP_ALL; /* of its name */
	} else if (sock->address.ss_family == AF_UNSPEC) {
		return; /* it is not bound */
	} else if (sock->address.ss_family == AF_INET) {
		cover->address = in->sin_addr;
		cover->in = OVERLAP_ONE;
	} else if (IN6_IS_ADDR_V4MAPPED(a6)) {
		memcpy(&cover->address, &a6->s6_addr[12], 4);
		cover->in = OVERLAP_ONE;
	} else if (IN6_IS_ADDR_UNSPECIFIED(a6)) {
		cover->in6 = OVERLAP_ALL;
		if (!(sock->flags & RECORD_V6ONLY))
			cover->in = OVERLAP_ALL;
	} else {
		cover->address6 = *a6;
		cover->scope = in6->sin6_scope_id;
		cover->in6 = OVERLAP_ONE;
	}
	if (cover->in == OVERLAP_ONE && cover->address.s_addr == INADDR_ANY)
		cover->in = OVERLAP_ALL;
}

static int
overlap_extents(enum overlap_extent a, enum overlap_extent b, int equal)
{
	if (a == OVERLAP_NONE || b == OVERLAP_NONE)
		return 0;
	return a == OVERLAP_ALL || b == OVERLAP_ALL || equal;
}

/* The part of a name after the kind: local sockets of all kinds share their
 * names. */
static const char *
overlap_local_name(const struct record_socket *sock)
{
	const char *colon = strchr(sock->name, ':');

	return colon != NULL ? colon + 1 : sock->name;
}

static in_port_t
overlap_port(const struct record_socket *sock)
{
	const struct sockaddr_in *in = (const void *)&sock->address;

	return in->sin_port; /* at the same place in sockaddr_in6 */
}

/* The order in which only neighbours can overlap. */
static int
overlap_compare(const struct record_socket *a, const struct record_socket *b)
{
	int a_unix = overlap_is_unix(a), b_unix = overlap_is_unix(b);

	if (a_unix != b_unix)
		return a_unix - b_unix;
	if (a_unix)
		return strcmp(overlap_local_name(a), overlap_local_name(b));
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (overlap_port(a) != overlap_port(b))
		return overlap_port(a) < overlap_port(b) ? -1 : 1;
	return 0;
}

static int
overlap_covers(const struct overlap_cover *a, const struct overlap_cover *b)
{
	return overlap_extents(
		   a->in, b->in, a->address.s_addr == b->address.s_addr) ||
	    overlap_extents(a->in6, b->in6,
		IN6_ARE_ADDR_EQUAL(&a->address6, &b->address6) &&
		    (a->scope == b->scope || a->scope == 0 || b->scope == 0));
}

/* For qsort(3): of equal records the earlier one comes first. */
static int
overlap_compare_entries(const void *a, const void *b)
{
	const struct record *ra = ((const struct overlap_entry *)a)->record;
	const struct record *rb = ((const struct overlap_entry *)b)->record;
	int order = overlap_compare(&ra->u.socket, &rb->u.socket);

	return order != 0 ? order : (ra > rb) - (ra < rb);
}

static void
overlap_report(struct diagnostics *out, const struct overlap_entry *late,
    const struct overlap_entry *early)
{
	if (late->record->type != RECORD_ENDPOINT)
		diagnostics_error(out, early->at,
		    "listen: \"%s\" is the path of a socket of the broker "
		    "itself: expected another path",
		    early->record->u.socket.name);
	else if (early->at.line == 0)
		diagnostics_error(out, late->at,
		    "listen: \"%s\" overlaps \"%s\": expected addresses "
		    "that do not include each other",
		    late->record->u.socket.name, early->record->u.socket.name);
	else
		diagnostics_error(out, late->at,
		    "listen: \"%s\" overlaps \"%s\" of listener \"%s\" in "
		    "%s: expected addresses that do not include each other",
		    late->record->u.socket.name, early->record->u.socket.name,
		    early->record->u.endpoint.listener,
		    diagnostics_locate(out, early->at, late->at).text);
}

/* The first entry from start up to late that overlaps that one, or NULL. */
static const struct overlap_entry *
overlap_find(
    const struct overlap_entry *start, const struct overlap_entry *late)
{
	for (; start < late; start++)
		if (overlap_covers(&start->cover, &late->cover))
			return start;
	return NULL;
}

static int
overlap_same_place(const struct overlap_entry *a, const struct overlap_entry *b)
{
	return a->at.line != 0 && a->at.line == b->at.line &&
	    a->at.file == b->at.file;
}

static void
overlap_walk(
    struct diagnostics *out, const struct overlap_entry *entries, size_t count)
{
	/* Of the last report in a group. */
	const struct overlap_entry *told[2] = {NULL, NULL};
	const struct overlap_entry *start = entries, *early;

	for (const struct overlap_entry *late = entries; late < entries + count;
	     late++) {
		if (overlap_compare(&start->record->u.socket,
			&late->record->u.socket) != 0) {
			start = late;
			told[0] = NULL;
		}
		early = overlap_find(start, late);
		/* "*" twice is one mistake, not one for each family. */
		if (early == NULL ||
		    (told[0] != NULL && overlap_same_place(told[0], late) &&
			overlap_same_place(told[1], early)))
			continue;
		overlap_report(out, late, early);
		told[0] = late;
		told[1] = early;
	}
}

void
overlap_check(struct output *out)
{
	struct overlap_entry *entries =
	    calloc(out->count + 1, sizeof(*entries));

	if (entries == NULL) {
		out->diagnostics.failed = 1;
		return;
	}
	for (size_t i = 0; i < out->count; i++) {
		entries[i].record = &out->sockets[i];
		entries[i].at = out->at[i];
		overlap_cover(&entries[i].cover, &out->sockets[i].u.socket);
	}
	qsort(entries, out->count, sizeof(*entries), overlap_compare_entries);
	overlap_walk(&out->diagnostics, entries, out->count);
	free(entries);
}
