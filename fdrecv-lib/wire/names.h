/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

/*
 * Names that the broker, its workers and its tools share.  The run directory
 * itself is DEFAULT_RUN_DIR of config.h, unless an option or the environment
 * names another one.
 */

/* Environment variables. */
#define FDRECV_WIRE_ENV_RUN_DIR "FDRECV_RUN_DIR"
#define FDRECV_WIRE_ENV_BIND_FDS "FDRECV_BIND_FDS" /* for libfdrecv-bind */
#define FDRECV_WIRE_ENV_BIND_PID "FDRECV_BIND_PID" /* of that process */

/* In the run directory: the mailboxes of listener L are in "mailbox/L/". */
#define FDRECV_WIRE_MAILBOX_DIR "mailbox"
#define FDRECV_WIRE_CONTROL "control"
/* Followed by a digit: each engine has a rendezvous socket of its own. */
#define FDRECV_WIRE_RENDEZVOUS "rendezvous."
#define FDRECV_WIRE_RENDEZVOUS_COUNT 8

/* Fills in the address of a rendezvous socket, number from 0 to 7.  0, or -1
 * with errno ENAMETOOLONG. */
int fdrecv_names_rendezvous(
    const char *run_dir, int number, struct sockaddr_un *out_address);
