/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stdint.h>

struct bounded_close;

/*
 * A message of a keeper to the next engine, over a SOCK_SEQPACKET pair: one
 * descriptor, and for RETURNED_SENT a second one.  The engine answers with a
 * byte when it has read all that was there, for the first time when it begins
 * to serve.  Any other byte is the monitor's, and says that no engine follows.
 */
#define RETURNED_MAGIC "retn"
#define RETURNED_VERSION 1
#define RETURNED_READ 'r'

enum returned_kind {
	RETURNED_HELD = 1, /* no worker has it */
	RETURNED_SENT,     /* a worker may have it; second, where its receipts
			    * were to come from, which hangs up at its end */
	RETURNED_DEAD,     /* a worker had it that has died */
	RETURNED_READER,   /* a reading end of earlier returns */
};

struct returned {
	char magic[4];
	uint16_t version;
	uint8_t kind; /* enum returned_kind */
	uint8_t deaths;
	uint16_t redeliveries;
	uint16_t returns;
	uint32_t reserved;       /* 0 */
	uint64_t accept_time_ns; /* 0: not known */
	uint64_t sequence;       /* of RETURNED_SENT, which its receipt names */
};

/* Receives one, and gives at most two descriptors (-1: none).  Returns the
 * length, 1 if there were more descriptors or bytes, or -1 with errno. */
ssize_t returned_receive(int fd, struct bounded_close *bounded,
    struct returned *out_returned, int out_fds[2]);

/* True if such a message makes sense, and brought sockets only. */
int returned_is_valid(
    const struct returned *returned, ssize_t size, const int fds[2]);
