/* SPDX-License-Identifier: ISC */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <sys/socket.h>

#include <stdint.h>

/* What the test tools share.  They exit with a message on what cannot be. */

/* An address and the kind of socket that goes with it. */
struct tool_address {
	int type; /* SOCK_STREAM, SOCK_SEQPACKET or SOCK_DGRAM */
	socklen_t length;
	struct sockaddr_storage storage;
};

/* How a worker answers. */
struct tool_service {
	int reads_id;    /* answers "ID NONCE PID SEQ\n", else a greeting */
	int journal;     /* -1, or where "ID STEP PID SEQ\n" is appended */
	unsigned int us; /* time that a request with SLOW in it takes */
	uint64_t sequence;
};

/* Reads tcp:ADDR:PORT, [kind:]ADDR:PORT, unix-stream:PATH or @NAME, and so
 * on. */
void tool_parse_address(const char *text, struct tool_address *out);

/* A listening socket on an address. */
int tool_listen(const struct tool_address *address, int backlog, int flags);

/* A SOCK_DGRAM socket bound to path, as programs did it in 2002. */
int tool_bind_mailbox(const char *path);

/* Sends one byte and fd (borrowed) to path: 0, or -1 with errno. */
int tool_send_fd(int sender, const char *path, int fd);

/* Serves one connection, without closing it. */
void tool_serve(struct tool_service *service, int fd);

/* Reads the options of workers: --greet (the default), --id, --journal FILE,
 * --slow MS.  Returns the index of the first word that is none. */
int tool_service_options(struct tool_service *service, int argc, char **argv);

/* Microseconds of CLOCK_MONOTONIC. */
uint64_t tool_now_us(void);

/* Says "ready" on standard output. */
void tool_ready(void);

/* SIGTERM and SIGINT end the process at once with status 0. */
void tool_end_on_sigterm(void);

#endif
