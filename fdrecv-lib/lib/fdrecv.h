/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_H
#define FDRECV_H

#include <sys/socket.h>
#include <sys/types.h>

#include <stdint.h>
#include <time.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * libfdrecv: receive connections and sockets from a port broker.
 *
 * A mailbox is a SOCK_DGRAM Unix socket that this process binds and a broker
 * sends descriptors to.  No call here logs, exits, starts a thread or raises
 * SIGPIPE.  One mailbox is used by one thread at a time; fdrecv_drain() alone
 * may be called from anywhere, signal handlers included.  See fdrecv(3).
 */

struct fdrecv;

enum fdrecv_flag {
	/* fdrecv_next() returns 0 where it would wait. */
	FDRECV_NONBLOCK = 1 << 0,
	/* Receipts are sent by fdrecv_receipt() and fdrecv_done() alone, not by
	 * the next fdrecv_next(). */
	FDRECV_MANUAL_RECEIPT = 1 << 1,
	/* fdrecv_done() is called at the end of each connection, so that the
	 * broker can limit how many there are at a time. */
	FDRECV_COUNTED = 1 << 2,
};

#define FDRECV_WEIGHT 100 /* the share of a worker that names none */

struct fdrecv_options {
	size_t size;        /* FDRECV_OPTIONS_INIT sets it */
	unsigned int flags; /* enum fdrecv_flag */
	/* Share of the work among the workers of a pool, 1 to 10000; 0 is
	 * FDRECV_WEIGHT.  A canary beside a worker of 95 takes 5 % with 5. */
	unsigned int weight;
	/* Run directory of the broker, or NULL: found from a default mailbox
	 * path or the environment's FDRECV_RUN_DIR. */
	const char *run_dir;
};

#define FDRECV_OPTIONS_INIT                           \
	{                                             \
		.size = sizeof(struct fdrecv_options) \
	}

enum fdrecv_kind {
	FDRECV_CONNECTION = 1, /* an accepted connection */
	FDRECV_LISTENER = 2,   /* a listening socket, lent */
	FDRECV_DATAGRAM = 3,   /* a bound datagram socket, lent */
};

#define FDRECV_LISTENER_SIZE 64
#define FDRECV_LABEL_SIZE 256

/* One hand-off. */
struct fdrecv_handoff {
	size_t size; /* FDRECV_HANDOFF_INIT sets it */
	int fd;      /* yours; close it, or let fdrecv_done() */
	enum fdrecv_kind kind;
	char listener[FDRECV_LISTENER_SIZE]; /* "" if the sender named none */
	unsigned int endpoint_index; /* which of the listener's sockets */
	unsigned int endpoint_count; /* and how many it has */
	unsigned int redeliveries;   /* how many workers had it before */
	struct timespec accepted;    /* CLOCK_REALTIME */
	struct sockaddr_storage peer;
	socklen_t peer_length; /* 0: none */
	struct sockaddr_storage local;
	socklen_t local_length;
	pid_t pid; /* of a local client, else -1; for logs only */
	uid_t uid; /* likewise, (uid_t)-1 when unknown */
	gid_t gid;
	char label[FDRECV_LABEL_SIZE]; /* its security label, or "" */
	uint64_t epoch; /* of the sender, 0 if it wants no receipt */
	uint64_t sequence;
	int receipted; /* fdrecv_receipt() or fdrecv_done() was called */
};

#define FDRECV_HANDOFF_INIT                                     \
	{                                                       \
		.size = sizeof(struct fdrecv_handoff), .fd = -1 \
	}

/* Binds the mailbox at path.  A path that ends in '/' or is a directory gets
 * a name of its own there, and dead mailboxes of this user in it are removed.
 * A dead mailbox at path is replaced in one step.  options may be NULL.
 * Returns the mailbox, or NULL with errno: EADDRINUSE a live mailbox is there,
 * EEXIST something else than a socket, ELOOP a symbolic link, ENAMETOOLONG
 * more than 107 bytes with room for a temporary name, else as bind(2). */
struct fdrecv *fdrecv_open(
    const char *path, const struct fdrecv_options *options);

/* A descriptor to wait for with poll(2) and the like: readable when
 * fdrecv_next() has something to do, and until it has returned 0.  It stays the
 * mailbox's.  -1 with errno as epoll_create1(2). */
int fdrecv_fd(struct fdrecv *box);

/* Takes the next hand-off, and sends the receipt of the one before.  Gives
 * handoff->fd, closed on exec.  1 a hand-off; 0 with errno ESHUTDOWN drained,
 * or with FDRECV_NONBLOCK EAGAIN nothing now; -1 only when the mailbox is
 * unusable, with errno as recvmsg(2).  Signals, foreign datagrams and a lack
 * of descriptors are dealt with inside. */
int fdrecv_next(struct fdrecv *box, struct fdrecv_handoff *handoff);

/* Sends the receipt of a hand-off now: from here on it is lost if this process
 * dies, before that the broker gives it to another worker. */
void fdrecv_receipt(struct fdrecv *box, struct fdrecv_handoff *handoff);

/* The application has finished with a hand-off: closes handoff->fd, which
 * becomes -1, and sends the receipt if it is due.  After fdrecv_close(), box
 * is NULL. */
void fdrecv_done(struct fdrecv *box, struct fdrecv_handoff *handoff);

/* Asks the broker to send no more for now, and to go on.  What is on its way
 * or in the mailbox still comes. */
void fdrecv_pause(struct fdrecv *box);
void fdrecv_resume(struct fdrecv *box);

/* Takes no more (NULL is accepted): removes the mailbox from its directory and
 * shuts it down, so that the sender learns of it with the next descriptor still
 * in its hand. What had arrived is still handed out; then fdrecv_next() returns
 * 0. Async-signal-safe, and made to be called from a SIGTERM handler. */
void fdrecv_drain(struct fdrecv *box);

/* Ends the mailbox (NULL is accepted).  What fdrecv_next() has not handed out
 * is closed: call fdrecv_drain() and fdrecv_next() until 0 before. */
void fdrecv_close(struct fdrecv *box);

/* In a child of fork(2) that will not use the mailbox (NULL is accepted):
 * closes the child's copies of its descriptors and frees box.  The parent's
 * mailbox goes on as if there were no child. */
void fdrecv_after_fork(struct fdrecv *box);

#ifdef __cplusplus
}
#endif

#endif
