/* SPDX-License-Identifier: ISC */
#ifndef UNIT_NET_H
#define UNIT_NET_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

/*
 * Sockets for tests.  Everything here asserts that it succeeds, but where it
 * says otherwise, and is closed on exec.
 */

/* A connection, and the listening socket that it came through. */
struct net_pair {
	int listener;
	int client;
	int server;
};

/* Gives a listening TCP socket on a port of the loopback of family. */
int net_listen(int family);

/* True if sockets can be bound to the loopback of IPv6. */
int net_has_ipv6(void);

/* The port that an IPv4 or IPv6 socket is bound to. */
uint16_t net_port(int fd);

/* Gives a connection to what listener is bound to, of whatever family. */
int net_connect(int listener);

/* A TCP connection, and closing all three. */
void net_pair(struct net_pair *out_pair, int family);
void net_pair_close(struct net_pair *pair);

/* Ends a TCP connection with a reset; takes fd. */
void net_reset(int fd);

/* Sends over fd, a local socket, a TCP socket that waits in its last close for
 * longer than any test lasts, and closes it here: whoever drops it waits.
 * Gives what keeps it so, to be closed at the end. */
int net_strand(int fd);

/* Gives a socket bound to path (@name: abstract), listening unless it is a
 * datagram socket. */
int net_bind(const char *path, int type);

/* Gives a socket connected to path, or -1 with errno. */
int net_reach(const char *path, int type);

/* Sends one message with count descriptors (borrows them).  Returns what
 * sendmsg(2) does; never waits. */
ssize_t net_send(
    int fd, const void *bytes, size_t size, const int *fds, size_t count);

/* Receives one message; never waits.  Gives at most *inout_count descriptors
 * and says how many.  Returns what recvmsg(2) does. */
ssize_t net_receive(
    int fd, void *bytes, size_t size, int *fds, size_t *inout_count);

/* Receives one hand-off from a mailbox: gives its descriptor, or -1 when
 * there is none now. */
int net_take(int mailbox);

/* True if both are the same socket or file. */
int net_is_same(int a, int b);

/* How many datagrams wait in a mailbox until its sender has to. */
unsigned int net_mailbox_size(void);

/* True if fd polls for events now. */
int net_polls(int fd, short events);

/* Reads to the end, or to an error, whose errno is returned, else 0; what was
 * read is in buffer, with a NUL. */
int net_read_all(int fd, char *buffer, size_t size);

#endif
