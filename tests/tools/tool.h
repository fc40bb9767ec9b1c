/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <sys/socket.h>

#include <stdint.h>

/*
 * What the test tools share.  Unless it says otherwise, a function that cannot
 * do its work exits: 64 for what the command line says, 71 for the system.
 */

/* An address and the kind of socket that goes with it. */
struct tool_address {
	int type; /* SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM */
	socklen_t length;
	struct sockaddr_storage storage;
};

/* A decimal number of min..max. */
uint64_t tool_number(const char *text, uint64_t min, uint64_t max);

/* Reads PORT (of 127.0.0.1), ADDRESS:PORT, tcp:ADDRESS:PORT, unix-stream:PATH
 * or @NAME, and so on.  Numbers only; IPv6 in brackets. */
void tool_parse_address(const char *text, struct tool_address *out_address);

/* Gives a listening socket, close-on-exec; flags: SOCK_NONBLOCK or 0. */
int tool_listen(const struct tool_address *address, int backlog, int flags);

/* Gives a SOCK_DGRAM socket bound to path, whatever was there before, as
 * programs did it in 2002. */
int tool_bind_mailbox(const char *path);

/* Sends the byte x and fd (borrows) to path: 0, or -1 with errno. */
int tool_send_fd(int sender, const char *path, int fd);

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t tool_now_us(void);

/* Says "ready" on a descriptor, and closes it unless it is standard output or
 * error. */
void tool_ready(int fd);

/* SIGTERM and SIGINT end the process at once with status 0. */
void tool_end_on_sigterm(void);

#endif
