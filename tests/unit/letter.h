/* SPDX-License-Identifier: ISC */
#ifndef UNIT_LETTER_H
#define UNIT_LETTER_H

#include "wire/link.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * What an engine and its workers say to each other, byte by byte, as another
 * program than libfdrecv would read and write it.
 */

#define LETTER_MOST FDRECV_WIRE_BATCH_MAX

/* One datagram from a mailbox. */
struct letter {
	ssize_t size; /* -1: there was none */
	size_t count; /* of descriptors */
	int fds[LETTER_MOST];
	struct fdrecv_wire_header header;
	struct fdrecv_wire_record records[LETTER_MOST];
	unsigned char bytes[FDRECV_WIRE_DATAGRAM_MAX];
};

/* Receives one datagram, if one is there, and asserts that its parts fill it.
 * Gives its descriptors. */
void letter_take(struct letter *out, int mailbox);

/* Closes the descriptors. */
void letter_close(struct letter *letter);

/* A HELLO for the mailbox at path. */
struct fdrecv_wire_hello letter_hello(const char *path, uint64_t instance);

/* Says HELLO, with the last part of path for a name, on a connection. */
void letter_greet(
    int link, const struct fdrecv_wire_hello *hello, const char *path);

/* Sends one receipt of that kind. */
void letter_receipt(int link, uint64_t epoch,
    enum fdrecv_wire_receipt_kind kind, uint64_t sequence, uint32_t count);

#endif
