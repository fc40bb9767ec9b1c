/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/types.h>

#include <stddef.h>

/* A socket, and whether another process has it. */
struct holders_socket {
	ino_t inode;
	pid_t pid; /* of its child, or 0 */
	int fd;    /* the caller's */
	int is_held;
};

/* The inode of the socket that a link in /proc/PID/fd/ names, or 0. */
ino_t holders_inode(int directory, const char *name);

/* Finds out which sockets are open in processes other than this one.  Sorts
 * them.  If a child has started a process whose descriptors cannot be read, or
 * are changing, its socket counts as open there.  A child, see is_child(),
 * counts only for its own socket: before it executes its program it has those
 * of others. */
void holders_find(struct holders_socket *sockets, size_t count,
    int (*is_child)(const void *owner, pid_t pid), const void *owner);

/* True if this process has only children for which is_child() is true, see
 * proc(5). */
int holders_are_known(
    int (*is_child)(const void *owner, pid_t pid), const void *owner);
