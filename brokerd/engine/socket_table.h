/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/message.h"
#include "engine/listener/listener.h"
#include "engine/listener/rebind.h"
#include "engine/listener/returns.h"
#include "engine/listener/socket_census.h"
#include "engine/records.h"

#define SOCKET_TABLE_OWN 2 /* the rendezvous and the control socket */

/* The sockets that the monitor has sent, and the listeners and pools that most
 * of them make up.  It is complete before the engine starts and never changes
 * afterwards. */
struct socket_table {
	struct records records; /* the engine maps them */
	struct listener_list listeners;
	struct pool_list pools;
	uint32_t count; /* of all sockets */
	/* Used by all listeners, pools and workers. */
	struct watch watch;
	struct refusals refusals;
	struct fd_reserve reserve;
	struct handoff *reserved; /* for the next connection */
	struct socket_diag diag;
	struct socket_census census;
	struct repair_models models;
	struct coalesce_load load;
	struct owner_quotas quotas;
	struct requests requests;
	struct rebind rebind;
	struct returns returns;
	int awaits_returns; /* of earlier engines, before a stop */
	struct {
		struct record_socket sock;
		struct upkeep upkeep;
	} own[SOCKET_TABLE_OWN];
	size_t own_count;
	struct worker_context worker_context;
	struct pool_context pool_context;
	struct listener_context listener_context;
};

/* An empty table.  Before the sandbox is entered. */
void socket_table_init(struct socket_table *table);

/* Opens what the kernel is asked by.  Before the sandbox is entered. */
void socket_table_open_netlink(struct socket_table *table);

/* Prepares for listeners and pools; borrows all.  0, or -1 with errno. */
int socket_table_open(struct socket_table *table, struct event_base *base,
    struct log *log, struct stats *stats, struct persistent *persistent,
    struct bounded_close *bounded, struct rendezvous *rendezvous);

/* Notes the next socket (borrowed; -1: it is not bound), which is to have that
 * number.  0, or -1 with errno: EPROTO if it is not the next one. */
int socket_table_note(struct socket_table *table, uint32_t number, int fd);

/* Adds the socket that was noted last (takes fd) to its listener, which is a
 * new one if there was none of that name; -1: it is not bound, and error is an
 * errno.  0, or -1 with errno. */
int socket_table_add(struct socket_table *table, struct record_endpoint *record,
    int fd, int error);

/* Notes a socket of the broker itself (borrows fd), which is put right at the
 * start. */
void socket_table_note_own(
    struct socket_table *table, const struct record_socket *sock, int fd);

/* Looks for workers and begins to accept. */
void socket_table_start(struct socket_table *table);

/* Does what the engine before was told by administrators; owner is the
 * table. */
void socket_table_on_said(void *owner);

/* The worker that the HELLO of a process with that uid names, or NULL. */
struct worker *socket_table_find_worker(
    struct socket_table *table, const struct hello *hello, uid_t uid);

/* What the listener of that name does, enum fdrecv_wire_answer_kind, or -1 if
 * the listeners have not been started yet. */
int socket_table_describe(const struct socket_table *table, const char *name);

/* Stops each listener, see listener_stop(). */
void socket_table_stop(
    struct socket_table *table, const struct channel_drain *drain);

/* True while a connection waits for this engine, or a worker has one that it
 * has not confirmed. */
int socket_table_is_busy(struct socket_table *table);

/* True if a connection was accepted and no worker has it; the listeners have
 * been stopped. */
int socket_table_holds(const struct socket_table *table);

/* Refuses connections that no worker has taken; stops waiting for receipts. */
void socket_table_give_up(struct socket_table *table);

/* Frees all listeners and pools. */
void socket_table_done(struct socket_table *table);
