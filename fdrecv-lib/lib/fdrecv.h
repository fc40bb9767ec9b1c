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
 * sends descriptors to.  No function here logs, exits, starts a thread,
 * installs a signal handler or raises SIGPIPE.  One thread at a time may be in
 * fdrecv_next(), and others may end connections meanwhile; only fdrecv_drain()
 * may be called from signal handlers.  See fdrecv(3).
 */

struct fdrecv;

enum fdrecv_flag {
	/* fdrecv_next() returns 0 where it would wait. */
	FDRECV_NONBLOCK = 1 << 0,
	/* Receipts are sent only by fdrecv_receipt() and fdrecv_done(), not by
	 * the next fdrecv_next(). */
	FDRECV_MANUAL_RECEIPT = 1 << 1,
	/* The program calls fdrecv_done() at the end of each connection, so
	 * that the broker can limit their number (max-connections). */
	FDRECV_COUNTED = 1 << 2,
};

#define FDRECV_WEIGHT 100 /* the default weight of a worker */

struct fdrecv_options {
	size_t size;        /* set by FDRECV_OPTIONS_INIT */
	unsigned int flags; /* enum fdrecv_flag */
	/* Share of the work among the workers of a pool, 1 to 10000; 0 means
	 * FDRECV_WEIGHT.  A worker with 5 beside one with 95 gets 5 %. */
	unsigned int weight;
	/* Run directory of the broker.  NULL: the environment variable
	 * FDRECV_RUN_DIR, or RUNDIR of a mailbox in
	 * RUNDIR/mailbox/LISTENER/. */
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
	size_t size; /* set by FDRECV_HANDOFF_INIT */
	int fd;      /* the caller's, who closes it or calls fdrecv_done() */
	enum fdrecv_kind kind;
	char listener[FDRECV_LISTENER_SIZE]; /* "" if the sender named none */
	unsigned int endpoint_index; /* which of the listener's sockets */
	unsigned int endpoint_count; /* number of the listener's sockets */
	unsigned int redeliveries;   /* number of workers that had it before */
	struct timespec accepted;    /* CLOCK_REALTIME */
	struct sockaddr_storage peer;
	socklen_t peer_length; /* 0: there is none */
	struct sockaddr_storage local;
	socklen_t local_length;
	pid_t pid; /* of a local client, else -1; may be reused, so only for
		    * logs */
	uid_t uid; /* likewise, (uid_t)-1 if not known */
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

/* Binds the mailbox at path.  If path ends in '/' or is a directory, the
 * mailbox gets a name of its own there, and dead mailboxes of this user are
 * removed from it.  A dead mailbox at path is replaced in one step.  options
 * may be NULL.
 *
 * Returns the mailbox, which fdrecv_close() frees, or NULL with errno: EINVAL
 * for unknown flags or a weight out of range, EADDRINUSE if a live mailbox is
 * at path, EEXIST if there is something else than a socket, ELOOP if there is
 * a symbolic link, ENAMETOOLONG if the path or that of the temporary name
 * (16 bytes in the same directory) exceeds 107 bytes, EPERM if a listener's
 * directory belongs to another user, or as bind(2). */
struct fdrecv *fdrecv_open(
    const char *path, const struct fdrecv_options *options);

/* Returns a descriptor for poll(2) and the like, which remains the mailbox's
 * (only poll it).  It polls readable when fdrecv_next() has something to do,
 * and from then on until fdrecv_next() has returned 0, so that no receipt waits
 * for the next client.  -1 with errno as epoll_create1(2) and epoll_ctl(2). */
int fdrecv_fd(struct fdrecv *mailbox);

/* Receives the next hand-off, and sends the receipt of the one before.  Gives
 * handoff->fd, a blocking socket that is closed on exec.
 *
 * Returns 1 with a hand-off; 0 with errno ESHUTDOWN when the mailbox was
 * drained, or EAGAIN with FDRECV_NONBLOCK when there is none now; -1 only if
 * the mailbox cannot be used, with errno EINVAL if handoff->size is not set,
 * EBUSY if another thread is in this function, or as recvmsg(2).  Signals,
 * foreign datagrams and a lack of descriptors are handled inside. */
int fdrecv_next(struct fdrecv *mailbox, struct fdrecv_handoff *handoff);

/* Sends the receipt of a hand-off now, if it was not sent before.  Before it,
 * the broker gives the connection to another worker if this process dies;
 * after it, the connection is lost then.  Borrows handoff->fd.  mailbox is NULL
 * after fdrecv_close(). */
void fdrecv_receipt(struct fdrecv *mailbox, struct fdrecv_handoff *handoff);

/* Ends a hand-off: closes handoff->fd (takes it), sets it to -1, and gives the
 * receipt if it was not given before.  In that case the connection ends for its
 * client, also if a duplicate is still open that the library does not know of,
 * see fdrecv(3).  mailbox is NULL after fdrecv_close(). */
void fdrecv_done(struct fdrecv *mailbox, struct fdrecv_handoff *handoff);

/* Asks the broker to send nothing for now, and to send again.  Hand-offs that
 * are on their way or in the mailbox still arrive. */
void fdrecv_pause(struct fdrecv *mailbox);
void fdrecv_resume(struct fdrecv *mailbox);

/* Starts to leave: removes the mailbox from its directory and shuts it down.
 * The broker's next attempt to send fails, and it keeps that descriptor.
 * Hand-offs that had arrived are still returned by fdrecv_next(), which then
 * returns 0.  mailbox may be NULL.  Async-signal-safe, so that a SIGTERM
 * handler can call it. */
void fdrecv_drain(struct fdrecv *mailbox);

/* Sends the receipt that is due, closes the mailbox and frees it.  Hand-offs
 * that fdrecv_next() has not returned are closed: call fdrecv_drain() first,
 * and fdrecv_next() until it returns 0.  mailbox may be NULL. */
void fdrecv_close(struct fdrecv *mailbox);

/* For a child of fork(2) that does not use the mailbox: closes the child's
 * copies of the mailbox's descriptors and frees it, without an effect on the
 * parent's mailbox.  mailbox may be NULL. */
void fdrecv_after_fork(struct fdrecv *mailbox);

#ifdef __cplusplus
}
#endif

#endif
