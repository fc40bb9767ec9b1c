/* SPDX-License-Identifier: ISC */
#ifndef UNIT_PARCEL_H
#define UNIT_PARCEL_H

#include "engine/handoff/handoff.h"

/* Hand-offs for tests of what is on the wire. */
struct parcel {
	size_t listener;
	socklen_t peer, local;
	size_t label;
};

/* Of everything as much as there can be. */
extern const struct parcel parcel_longest;

/* The endpoint of them all: a local stream of which connections are handed
 * off. */
extern struct record_endpoint parcel_endpoint;

/* A hand-off with parts of those lengths, in which no two bytes in a row are
 * the same; n makes it another one. */
struct handoff parcel_make(const struct parcel *lengths, unsigned int n);

#endif
