/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/ledger_page.h"

#include <stddef.h>
#include <stdint.h>

struct handoff;

/* Which descriptors are connections that must not be lost, indexed by their
 * numbers: all that is left when the engine has been killed. */
struct ledger {
	struct ledger_page *page; /* NULL: there is none */
	uint32_t count;           /* of entries */
	uint32_t last_id;
	int returned; /* CHANNEL_RETURNED, or -1 if that is not open */
	int is_roots; /* root started brokerd */
};

/* To be called before other descriptors are opened.  0, or -1 with errno: then
 * there is none, and nothing happens in the calls below. */
int ledger_open(struct ledger *ledger);

void ledger_close(struct ledger *ledger);

/* ledger may be NULL below. */

/* START has come. */
void ledger_serve(struct ledger *ledger);

/* The engine ends by itself. */
void ledger_end(struct ledger *ledger);

/* Notes the rendezvous. */
void ledger_note_rendezvous(
    struct ledger *ledger, int fd, uint32_t orphan_timeout_s);

/* The monitor is gone: when another one is not waited for any longer. */
void ledger_note_orphan(struct ledger *ledger, uint64_t until_ms);

/* A connection was accepted. */
void ledger_accept(struct ledger *ledger, int fd);

/* No worker has it; the rest of the record is the hand-off's. */
void ledger_hold(struct ledger *ledger, const struct handoff *handoff);

/* Sets the state of a descriptor; keeps the rest of its entry. */
void ledger_set(struct ledger *ledger, int fd, enum ledger_state state);

/* Notes a receipt connection.  Returns its id. */
uint32_t ledger_add_peer(struct ledger *ledger, int fd);

/* The id of a receipt connection, or 0. */
uint32_t ledger_peer_id(struct ledger *ledger, int fd);

/* Notes a connection that an earlier engine has sent, and peer, the receipt
 * connection of its worker. */
void ledger_add_sent(
    struct ledger *ledger, int fd, int peer, uint64_t sequence);

/* Notes the rest of the record of such a connection, or another peer. */
void ledger_keep_sent(struct ledger *ledger, const struct handoff *handoff,
    int peer, uint32_t peer_id);

/* The hand-offs are about to be sent in one message; peer is -1, or the receipt
 * connection of the worker.  Returns where sendmmsg(2) has to write how much it
 * sent, or NULL. */
struct mmsghdr *ledger_send(struct ledger *ledger,
    struct handoff *const *handoffs, size_t count, int peer, uint32_t peer_id);

/* They were sent, or are held. */
void ledger_on_sent(struct ledger *ledger, struct handoff *const *handoffs,
    size_t count, int sent);

/* To be called around close(2). */
void ledger_before_close(struct ledger *ledger, int fd);
void ledger_after_close(struct ledger *ledger, int fd);

/* Sets page->incoming, which is enum returned_kind, or 0 for none. */
void ledger_expect(struct ledger *ledger, int incoming);

/* Sets one of the files of counters; -1: those before it are all. */
void ledger_pass_counters(struct ledger *ledger, uint32_t number, int fd);

/* Adds a bound socket, see page->passed. */
void ledger_pass(struct ledger *ledger, int fd);
