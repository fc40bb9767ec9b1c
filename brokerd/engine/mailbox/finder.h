/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_MAILBOX_FINDER_H
#define ENGINE_MAILBOX_FINDER_H

#include "engine/core.h"
#include "engine/mailbox/mailbox.h"
#include "engine/mailbox/watch.h"
#include "engine/policy/backoff.h"
#include "engine/policy/log_ratelimit.h"
#include "engine/policy/report_once.h"
#include "engine/timer.h"

/* Who hears of mailboxes that come and go. */
struct finder_user {
	/* True if that very mailbox is known already. */
	int (*knows)(
	    void *argument, const char *name, const struct mailbox *mailbox);
	/* A mailbox that is alive and connected: to be taken. */
	void (*on_found)(
	    void *argument, const char *name, struct mailbox *mailbox);
	/* The name is no longer there, or no mailbox of the owner's. */
	void (*on_gone)(void *argument, const char *name);
	void *argument;
};

#define FINDER_NAME_SIZE 256

/* What the last name that could not be used suffered from. */
struct finder_fault {
	char name[FINDER_NAME_SIZE]; /* "": the directory itself */
	int error;                   /* 0: none, or it is over */
	int looked;                  /* at the name: it could be */
	uint64_t at_ms;
};

/* Finds the mailboxes of one path. */
struct finder {
	struct core *core;
	struct watch *watch;
	struct finder_user user;
	char path[RECORD_PATH_SIZE];      /* of the mailbox or directory */
	char directory[RECORD_PATH_SIZE]; /* ends in '/' */
	const char *name; /* in directory; NULL: every name in it */
	uint32_t owner;
	int watch_id;
	int wanted;            /* a connection waits: keep looking */
	unsigned int settling; /* tries left for a mailbox that was just made */
	struct backoff backoff;
	struct timer retry;
	uint64_t rested_us; /* when the rest after a long scan ends */
	uint64_t self_us;   /* begin of the last for the directory's sake */
	struct report_once faults; /* that were logged */
	struct finder_fault last;
	struct log_ratelimit scan_limit;
};

/* Prepares a search.  0, or -1 with errno. */
int finder_init(struct finder *finder, struct core *core, struct watch *watch,
    const char *path, uint32_t owner, const struct finder_user *user);

void finder_done(struct finder *finder);

/* Looks at the names now, or soon if it found many the last time, and watches
 * the directory from here on.  Of all in a directory only sockets count, and
 * not too many of them. */
void finder_scan(struct finder *finder);

/* Something happened to a name in the directory, or to itself: it has changed
 * (no name), or is gone. */
void finder_on_change(struct finder *finder, int gone, const char *name);

/* What helps against a fault; looked as in struct finder_fault. */
const char *finder_cure(int error, int looked);

/* A connection has begun or ceased to wait for a mailbox. */
void finder_set_wanted(struct finder *finder, int wanted);

#endif
