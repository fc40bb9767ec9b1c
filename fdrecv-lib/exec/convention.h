/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_CONVENTION_H
#define FDRECV_EXEC_CONVENTION_H

#include <stddef.h>

struct cmdline;
struct socket_set;

enum convention_id {
	CONVENTION_SYSTEMD = 1,
	CONVENTION_UPSTART,
	CONVENTION_NGINX,
	CONVENTION_INETD,
	CONVENTION_FD,
	CONVENTION_EINHORN,
	CONVENTION_PRELOAD,
	CONVENTION_UCSPI,
};

/* No convention but --fd puts a connection at this number or above. */
#define CONVENTION_BEHIND_CONNECTION 8

enum convention_use {
	CONVENTION_LENT = 1 << 0, /* for all lent sockets at once */
	CONVENTION_EACH = 1 << 1, /* for one connection */
};

/* The sockets to hand out, and those that an earlier loader has handed out. */
struct convention_work {
	const struct cmdline *cmdline;
	const struct socket_set *sockets;
	int *fds; /* of sockets, in their order */
	size_t count;
	size_t earlier_count;
	const char *earlier_list; /* in the environment, or "" */
};

/* One way to hand out sockets.  Each step may be NULL. */
struct convention {
	const char *name; /* of the option */
	unsigned int use; /* enum convention_use */
	/* Looks for the sockets of an earlier loader. */
	void (*find_earlier)(struct convention_work *work);
	/* Moves the descriptors to their numbers.  0, or -1 with errno. */
	int (*place)(struct convention_work *work);
	/* Sets the environment.  0, or -1 with errno. */
	int (*announce)(const struct convention_work *work);
};

const struct convention *convention_of(enum convention_id id);

/* Hands out all sockets by the convention that the command line names.  They
 * stay open across exec, and sockets does not own them any more.  0, or -1 with
 * errno. */
int convention_apply(const struct cmdline *cmdline, struct socket_set *sockets);

#endif
