/* SPDX-License-Identifier: ISC */
#pragma once

struct cmdline;
struct convention_work;
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

enum convention_place {
	CONVENTION_AT,   /* first, first + 1 and so on */
	CONVENTION_FREE, /* free numbers from first up */
	CONVENTION_PAIR, /* one socket as first and first + 1 */
};

/* One way to hand out sockets. */
struct convention {
	const char *name; /* of the option */
	unsigned int use; /* enum convention_use */
	enum convention_place place;
	int first; /* number of a descriptor */
	/* The variable that lists the descriptors, or NULL. */
	const char *variable;
	const char *separators; /* in it; the first one is written */
	int ends;               /* the last descriptor has a separator too */
	/* Looks for the sockets of an earlier loader that variable does not
	 * list.  May be NULL. */
	void (*find_earlier)(struct convention_work *work);
	/* Does the rest.  May be NULL.  0, or -1 with errno. */
	int (*announce)(const struct convention_work *work);
};

const struct convention *convention_of(enum convention_id id);

/* Hands out all sockets by the convention that the command line names.  They
 * stay open across exec, and sockets does not own them any more.  0, or -1 with
 * errno. */
int convention_apply(const struct cmdline *cmdline, struct socket_set *sockets);
