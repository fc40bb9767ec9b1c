/* SPDX-License-Identifier: ISC */
#ifndef MONITOR_INHERITED_H
#define MONITOR_INHERITED_H

#include "monitor/endpoint.h"

#include <sys/stat.h>

#include <stddef.h>
#include <stdint.h>

/* Descriptors from whoever served before: another brokerd, or systemd. */
struct inherited {
	struct inherited_item *items;
	size_t count, room;
	uint64_t network; /* this process's own, see SO_NETNS_COOKIE */
};

/* What a descriptor is, as the kernel tells; the rest is zeros. */
struct inherited_item {
	int fd;                              /* -1: taken */
	int type, protocol, listens, v6only; /* of a socket */
	uint64_t network;                    /* likewise */
	socklen_t length;                    /* 0: no socket */
	struct sockaddr_storage address;
	struct stat file;          /* of another file */
	const struct endpoint *of; /* borrowed; NULL: not known */
};

/* Adds fd (takes it; -1 and what is neither open nor known are no harm), of
 * an endpoint that is known, or NULL. */
void inherited_add(
    struct inherited *inherited, int fd, const struct endpoint *of);

/* The socket that is bound as the record says, whose fd may be taken, or NULL.
 * *out_wrong says why one that has its address cannot be it, or is NULL. */
struct inherited_item *inherited_find(struct inherited *inherited,
    const struct record *record, const char **out_wrong);

/* Gives the descriptor of that file, or -1. */
int inherited_take_file(struct inherited *inherited, const struct stat *file);

/* Gives the memfd of that size with these seals, or -1. */
int inherited_take_memory(struct inherited *inherited, int seals, off_t size);

/* Closes the rest. */
void inherited_done(struct inherited *inherited);

#endif
