/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/handoff.h"
#include "engine/policy/window.h"

#include <stddef.h>
#include <stdint.h>

/* Those of all workers that have connections to be closed.  Closing takes time,
 * which a connection that has been accepted should not wait for. */
struct unreceipted_closing {
	TAILQ_HEAD(, unreceipted) head;
	int is_delayed;
};

/* The hand-offs that a worker has not confirmed.  The engine keeps a descriptor
 * of each, so that none is lost with the worker, and closes it with the
 * receipt. */
struct unreceipted {
	struct handoff_list list;  /* oldest first */
	struct handoff_list taken; /* with a receipt, to be closed */
	TAILQ_ENTRY(unreceipted) entry;
	struct unreceipted_closing *closing;
	const struct bounded_close *bounded;
	size_t count;
	uint64_t emptied_us; /* when its mailbox was empty; 0: it is not */
	uint64_t last_receipt_us;
	unsigned int linger_checks; /* closes left to check for SO_LINGER */
	struct handoff *doubtful;   /* a dead process may have read it */
};

/* Borrows all. */
void unreceipted_init(struct unreceipted *unreceipted,
    struct unreceipted_closing *closing, const struct bounded_close *bounded);

/* Adds a hand-off (takes it) that was sent just now. */
void unreceipted_add(struct unreceipted *unreceipted, struct handoff *handoff);

/* A receipt for count hand-offs from sequence on, which was given at given_us
 * or later: closes those that are there, and adapts the worker's window to the
 * time that each took. */
void unreceipted_on_taken(struct unreceipted *unreceipted,
    struct window *window, uint64_t sequence, uint32_t count,
    uint64_t given_us);

/* Delays all closing, until the second function is called. */
void unreceipted_delay_closing(struct unreceipted_closing *closing);
void unreceipted_continue_closing(struct unreceipted_closing *closing);

/* Gives the last of these count hand-offs that lacks a receipt, or NULL. */
struct handoff *unreceipted_take_last(
    struct unreceipted *unreceipted, uint64_t sequence, uint32_t count);

/* Gives the oldest hand-off, or NULL. */
struct handoff *unreceipted_take_oldest(struct unreceipted *unreceipted);

/* Returns how long ago the oldest was sent, or 0 if there is none. */
uint64_t unreceipted_age_us(const struct unreceipted *unreceipted);

/* Returns how long ago the last receipt came, or 0 if there was none. */
uint64_t unreceipted_silence_us(const struct unreceipted *unreceipted);

/* Closes all: no receipts are expected any more. */
void unreceipted_release(struct unreceipted *unreceipted);

/* Takes one that nobody else gets unless the successor of a dead process says
 * that it was not read. */
void unreceipted_doubt(
    struct unreceipted *unreceipted, struct handoff *handoff);

/* Gives it, or NULL. */
struct handoff *unreceipted_take_doubtful(struct unreceipted *unreceipted);

/* Closes it. */
void unreceipted_end_doubt(struct unreceipted *unreceipted);

/* Closes those that the worker has had for longer than receipt-timeout, since
 * its mailbox was empty and since its last receipt.  empty tells whether the
 * mailbox is empty now.  Returns how many. */
size_t unreceipted_expire(struct unreceipted *unreceipted, int empty);
