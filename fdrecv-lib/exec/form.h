/* SPDX-License-Identifier: ISC */
#ifndef EXEC_FORM_H
#define EXEC_FORM_H

#include <stddef.h>

struct options;
struct sockets;

enum form_id {
	FORM_SYSTEMD,
	FORM_UPSTART,
	FORM_NGINX,
	FORM_INETD,
	FORM_FD,
	FORM_EINHORN,
	FORM_PRELOAD,
	FORM_UCSPI,
};

/* Higher than any number of those for one connection, but for --fd. */
#define FORM_EACH_BEHIND 8

enum form_use {
	FORM_LENT = 1 << 0, /* for all lent sockets at once */
	FORM_EACH = 1 << 1, /* for one connection */
};

/* What is handed out, and what an earlier loader has arranged already. */
struct form_work {
	const struct options *options;
	const struct sockets *sockets;
	int *fds; /* of the sockets, in their order */
	size_t count;
	size_t earlier;   /* how many there are already */
	const char *list; /* and what the environment says of them */
};

/* A way to hand out sockets: where their descriptors are, and what the
 * environment says of them.  Each step may be NULL.  0, or -1 with errno. */
struct form {
	const char *name; /* of the option */
	unsigned int use; /* enum form_use */
	void (*look)(struct form_work *work);
	int (*place)(struct form_work *work);
	int (*tell)(const struct form_work *work);
};

const struct form *form_of(enum form_id id);

/* Hands out all sockets by the form in options.  They stay open across exec,
 * and sockets no longer owns them.  0, or -1 with errno. */
int form_apply(const struct options *options, struct sockets *sockets);

#endif
