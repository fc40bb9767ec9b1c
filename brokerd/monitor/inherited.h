/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/endpoint.h"

#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>

/* Descriptors from the predecessor: another table, brokerd, or systemd. */
struct inherited {
	struct inherited_item *items;
	size_t count;
	int lacks;        /* one that has an origin, for want of descriptors */
	uint64_t network; /* of this process, see SO_NETNS_COOKIE */
};

/* A descriptor.  What else the kernel knows of it is asked when it is needed.
 */
struct inherited_item {
	int fd;           /* -1: taken */
	socklen_t length; /* 0: no socket */
	int is_dead;      /* a local or UDP one of origin, shut down for good */
	struct sockaddr_storage address;
	struct endpoint *origin; /* borrowed; NULL: not known */
};

/* Adds fd (takes it) and the endpoint that it was of, if that is known, or
 * NULL.  Ignores -1 and what is not open; but lacks says if the origin has a
 * socket then, which could not be duplicated. */
void inherited_add(
    struct inherited *inherited, int fd, struct endpoint *origin);

/* Finds the socket that is bound as the record says; the caller may take its
 * fd.  NULL if there is none; then *out_wrong says why one with the same
 * address cannot be used, or is NULL. */
struct inherited_item *inherited_find(struct inherited *inherited,
    const struct record *record, const char **out_wrong);

/* Gives the descriptor of the file with this device and inode number; -1 if
 * there is none. */
int inherited_take_file(struct inherited *inherited, const struct stat *file);

/* Gives the end of a SOCK_SEQPACKET pair, which a keeper or an engine made; -1
 * if there is none. */
int inherited_take_returns(struct inherited *inherited);

/* Closes those that nobody took. */
void inherited_done(struct inherited *inherited);
