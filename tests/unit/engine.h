/* SPDX-License-Identifier: ISC */
#ifndef UNIT_ENGINE_H
#define UNIT_ENGINE_H

#include "mail.h"

#include "wire/link.h"

/*
 * An engine as a worker sees it: a rendezvous in the run directory "run" of the
 * test, datagrams with records, and what is said on receipt connections.
 * Everything here asserts that it succeeds, and nothing waits.
 */

#define ENGINE_PATH_SIZE 108

struct engine {
	int listener;
	int link; /* the last that said HELLO, or -1 */
	uint64_t epoch;
	uint64_t sequence; /* of the next record */
	char path[ENGINE_PATH_SIZE];
	struct fdrecv_wire_hello hello; /* the last */
	char name[ENGINE_PATH_SIZE];    /* in it */
};

/* What records say besides what all say; zeros for a TCP connection. */
struct engine_record {
	uint16_t kind;
	int family; /* of the local address */
	uint64_t cookie;
};

/* The path of the run directory, which is made if need be. */
const char *engine_run_dir(void);

/* Listens at rendezvous.number with room for backlog connections. */
void engine_start_small(struct engine *out_engine, unsigned int number,
    uint64_t epoch, int backlog);
void engine_start(
    struct engine *out_engine, unsigned int number, uint64_t epoch);

/* Closes everything and removes the rendezvous. */
void engine_stop(struct engine *engine);

/* A mailbox as mail_open() has, that knows the run directory. */
void engine_mail(struct mail *out_mail, unsigned int flags);

/* Asserts that there is a new link with a valid HELLO. */
void engine_hears_hello(struct engine *engine);
void engine_hears_no_hello(const struct engine *engine);

/* Asserts what the next message on the link is: one receipt. */
void engine_hears(const struct engine *engine,
    enum fdrecv_wire_receipt_kind kind, uint64_t sequence, uint32_t count,
    uint32_t connections);
void engine_hears_nothing(const struct engine *engine);
void engine_hears_the_end(const struct engine *engine);

/* Writes a datagram of count records; returns its size. */
size_t engine_write(struct engine *engine, unsigned char *bytes,
    const struct engine_record *record, size_t count);

/* Sends one of as many records as descriptors (borrows them). */
void engine_send(struct engine *engine, const struct mail *mail,
    const struct engine_record *record, const int *fds, size_t count);

/* Sends one end of a new connection, said to be of TCP.  Gives the other. */
int engine_connection(struct engine *engine, const struct mail *mail);

/* Takes the next hand-off, and asserts that it has that sequence number. */
void engine_expect(struct mail *mail, uint64_t sequence);

#endif
