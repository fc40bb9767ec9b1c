/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <stddef.h>

#define DESCRIPTORS_MAX 253 /* in one message: SCM_MAX_FD in the kernel */

/* The descriptors that one message carried.  Those from next on are owned here;
 * those before it were given away. */
struct descriptors {
	int fds[DESCRIPTORS_MAX];
	size_t count;
	size_t next;
	int truncated; /* others were lost on the way */
	/* As the kernel writes them. */
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(
	    DESCRIPTORS_MAX * sizeof(int))];
};

/* Receives one message and its descriptors, which are closed on exec.  Replaces
 * what *descriptors contains.  Returns as recvmsg(2), but is not interrupted by
 * signals; after -1 there are no descriptors. */
ssize_t fdrecv_descriptors_receive(struct descriptors *descriptors, int socket,
    void *payload, size_t size, int flags);

/* Closes those that were not given away. */
void fdrecv_descriptors_close(struct descriptors *descriptors);

/* True if the peer of a socket (borrows it) is gone or the socket was shut down
 * for receiving. */
int fdrecv_fd_has_ended(int fd);

/* The inode of a socket (borrows it), or 0 if fd is something else: another
 * file may have got the number of a descriptor that the program has closed. */
ino_t fdrecv_fd_socket_inode(int fd);

/* Sends the end of file to the peer of a connection (borrows it), and returns
 * true, if that is all that the last close(2) would send.  Keeps errno. */
int fdrecv_fd_end(int fd);

/* Closes fd (takes it) unless it is -1, and keeps errno.  Returns -1. */
int fdrecv_fd_close(int fd);
