/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_CONVENTION_H
#define FDRECV_EXEC_CONVENTION_H

#include <stddef.h>

struct cmdline;
struct sockets;

enum convention_id {
	CONVENTION_SYSTEMD,
	CONVENTION_UPSTART,
	CONVENTION_NGINX,
	CONVENTION_INETD,
	CONVENTION_FD,
	CONVENTION_EINHORN,
	CONVENTION_PRELOAD,
	CONVENTION_UCSPI,
};

/* Higher than any number of those for one connection, but for --fd. */
#define CONVENTION_EACH_BEHIND 8

enum convention_use {
	CONVENTION_LENT = 1 << 0, /* for all lent sockets at once */
	CONVENTION_EACH = 1 << 1, /* for one connection */
};

/* What is handed out, and what an earlier loader has arranged already. */
struct convention_work {
	const struct cmdline *options;
	const struct sockets *sockets;
	int *fds; /* of the sockets, in their order */
	size_t count;
	size_t earlier;   /* how many there are already */
	const char *list; /* and what the environment says of them */
};

/* A way to hand out sockets: where their descriptors are, and what the
 * environment says of them.  Each step may be NULL.  0, or -1 with errno. */
struct convention {
	const char *name; /* of the option */
	unsigned int use; /* enum convention_use */
	void (*look)(struct convention_work *work);
	int (*place)(struct convention_work *work);
	int (*tell)(const struct convention_work *work);
};

const struct convention *convention_of(enum convention_id id);

/* Hands out all sockets by the form in options.  They stay open across exec,
 * and sockets no longer owns them.  0, or -1 with errno. */
int convention_apply(const struct cmdline *options, struct sockets *sockets);

#endif
