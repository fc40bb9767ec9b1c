/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>

#include <stdint.h>

/*
 * Functions for the test tools.  Unless noted otherwise, a function that fails
 * exits with a message: with 64 if the command line is wrong, otherwise
 * with 71.
 */

/* An address and the type of its socket. */
struct tool_address {
	int type; /* SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM */
	socklen_t length;
	struct sockaddr_storage storage;
};

/* Reads a decimal number from min to max. */
uint64_t tool_number(const char *text, uint64_t min, uint64_t max);

/* Reads PORT (of 127.0.0.1), ADDRESS:PORT, tcp:ADDRESS:PORT, unix-stream:PATH,
 * unix-stream:@NAME and so on.  Addresses are numeric, IPv6 in brackets. */
void tool_parse_address(const char *text, struct tool_address *out_address);

/* Gives a listening socket, close-on-exec; flags: SOCK_NONBLOCK or 0. */
int tool_listen(const struct tool_address *address, int backlog, int flags);

/* Gives a SOCK_DGRAM socket bound to path, after removing any file there, as
 * programs of 2002 do. */
int tool_bind_mailbox(const char *path);

/* Sends the byte x and fd to path.  Borrows both descriptors.  0, or -1 with
 * errno. */
int tool_send_fd(int sender, const char *path, int fd);

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t tool_now_us(void);

/* Writes "ready" to fd, and closes it unless it is standard output or error. */
void tool_ready(int fd);

/* Makes SIGTERM and SIGINT end the process at once with status 0. */
void tool_end_on_sigterm(void);
