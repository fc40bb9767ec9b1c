/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/open_count.h"
#include "engine/policy/access.h"
#include "engine/policy/source_table.h"

#include <sys/socket.h>

struct handoff;
struct listener;
struct record_endpoint;

/* Who may come to a listener, and the connections that wait in the engine, one
 * queue for each source. */
struct admission {
	struct listener *listener; /* borrowed */
	const struct record_source *limits;
	struct access access;
	struct source_table sources;
	struct fair_ring ring;
	struct open_count open;
	struct limited_log refuse_limit;
};

/* For a listener that has a record; takes rules, which malloc(3) has allocated,
 * also if it fails.  NULL with errno. */
struct admission *admission_new(
    struct listener *listener, struct record_rule *rules, size_t count);

/* Frees it, and closes what waits.  NULL is accepted. */
void admission_free(struct admission *admission);

/* Judges a connection (borrows fd) that was accepted.  Returns its source, or
 * NULL: it has been counted as refused, and is to be refused. */
struct source_entry *admission_judge(struct admission *admission,
    const struct record_endpoint *record, int fd,
    const struct sockaddr_storage *peer);

/* Below, NULL has nothing waiting and no room. */

/* Allocates what judging the next connection needs, before it is accepted.  0,
 * or -1 with ENOMEM. */
int admission_reserve(struct admission *admission);

/* True if one more may be accepted, although no worker has room. */
int admission_has_room(const struct admission *admission);

/* True if nothing waits. */
int admission_is_empty(const struct admission *admission);

/* Returns how many sources have something waiting. */
size_t admission_sources(const struct admission *admission);

/* Puts those that wait, sources in turn, as long as workers have room;
 * dispatch_send() is for the caller. */
void admission_serve(struct admission *admission);

/* Lets the pool hold all, sources in turn. */
void admission_leave(struct admission *admission);

/* Lets a hand-off (takes it) of a source that was judged wait. */
void admission_wait(struct admission *admission, struct source_entry *source,
    struct handoff *handoff);

/* The same with one of an earlier engine, which waits in any case. */
void admission_take_over(struct admission *admission, struct handoff *handoff);
