/* SPDX-License-Identifier: ISC */
#ifndef UNIT_MAIL_H
#define UNIT_MAIL_H

#include "fdrecv.h"

/*
 * Mailboxes of libfdrecv for tests, and a sender to one.  Everything here
 * asserts that it succeeds.
 */

struct mail {
	struct fdrecv *box;
	int sender;
	struct fdrecv_handoff handoff;
};

/* Opens a mailbox at path. */
struct fdrecv *mail_box(const char *path);

/* Asserts that there can be none at path, for that reason. */
void mail_refused(const char *path, int error);

/* How many names are in a directory, of which none may begin with a dot. */
unsigned int mail_names(const char *directory);

/* A mailbox in this test's directory and a sender to it, and closing both. */
void mail_open(struct mail *out_mail, unsigned int flags);
void mail_open_with(
    struct mail *out_mail, const struct fdrecv_options *options);
void mail_close(struct mail *mail);

/* Sends fd (takes it) with the byte 'x', as the programs of 2002 do. */
void mail_send(const struct mail *mail, int fd);

/* Sends one end of a new connection and gives the other one. */
int mail_connection(const struct mail *mail);

/* Asserts that the next hand-off is the connection that end belongs to (takes
 * it), and that nobody else holds it. */
void mail_expect(struct mail *mail, int end);

#endif
