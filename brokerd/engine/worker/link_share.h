/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/policy/effort.h"
#include "engine/timer.h"

#include <sys/queue.h>
#include <sys/types.h>

struct log;
struct receipt_conn;

/* The receipt connections of one owner.  If many of their messages bring
 * nothing, they are read in turn, for a tenth of the engine's time. */
struct link_share {
	struct log *log;
	uid_t uid;
	TAILQ_HEAD(, receipt_conn) resting;
	struct effort *effort; /* borrowed */
	struct timer timer;
	uint64_t count;     /* of these connections, resting or not */
	uint64_t brought;   /* hand-offs that their messages were about */
	uint64_t rests;     /* times that one of them had to rest */
	uint64_t rested_ms; /* the last time; 0: never */
};

/* 0, or -1 with errno.  Borrows log and effort. */
int link_share_init(struct link_share *share, struct event_base *base,
    struct log *log, struct effort *effort, uid_t uid);

/* When none of its connections is left. */
void link_share_done(struct link_share *share);

/* True if conn may be read now.  If not, its messages wait, and it is watched
 * again when it is its turn. */
int link_share_may_read(struct link_share *share, struct receipt_conn *conn);

/* conn is about to be freed, or read in any case. */
void link_share_leave(struct link_share *share, struct receipt_conn *conn);
