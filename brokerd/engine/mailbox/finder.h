/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/handoff/limited_log.h"
#include "engine/mailbox/directory_scan.h"
#include "engine/mailbox/mailbox.h"
#include "engine/mailbox/mailbox_error.h"
#include "engine/mailbox/watch.h"
#include "engine/policy/backoff.h"
#include "engine/timer.h"

struct finder_callbacks {
	/* True if the owner has this very mailbox. */
	int (*knows)(
	    void *owner, const char *name, const struct mailbox *mailbox);
	/* Gives a mailbox that is connected and that the owner did not know. */
	void (*on_found)(
	    void *owner, const char *name, struct mailbox *mailbox);
	/* The name of one of the owner's mailboxes; NULL: it has not as many.
	 */
	const char *(*known)(void *owner, unsigned int number);
	/* The name does not exist, or is certainly no usable mailbox. */
	void (*on_gone)(void *owner, const char *name);
};

enum finder_stage {
	FINDER_IDLE,
	FINDER_READS, /* the directory */
	FINDER_CHECKS /* what was known before, if nothing tells its end */
};

/* A scan of a directory.  After the first one, other events have their turn
 * between its parts. */
struct finder_scan {
	enum finder_stage stage;
	struct directory_scan directory;
	unsigned int number;  /* of the next one that was known */
	unsigned int checked; /* of these */
	struct timer next;    /* part of it */
	uint64_t spent_us;
	int again; /* another one was asked for meanwhile */
	int first; /* 0: it has ended */
};

/* Finds the mailboxes of one path: a socket, or every socket in a directory. */
struct finder {
	struct log *log;
	const struct finder_callbacks *callbacks;
	void *owner;
	char path[RECORD_PATH_SIZE];
	char directory[RECORD_PATH_SIZE]; /* with a '/' at its end */
	const char *name; /* in directory; NULL: every name in it */
	uint32_t uid;     /* of the mailboxes; RECORD_NO_ID */
	struct watcher watcher;
	int waiting;           /* a connection waits for a mailbox */
	unsigned int settling; /* tries left for a mailbox that is being made */
	struct backoff backoff;
	struct timer retry;
	uint64_t rest_until_us;   /* after a long scan */
	uint64_t last_changed_us; /* begin of the last scan that was caused by
				   * a change of the directory itself */
	uint64_t names_since_us;  /* when the names were counted from */
	unsigned int names;       /* that may be mailboxes, changed since */
	unsigned int heard;       /* and others too */
	struct finder_scan scan;
	struct mailbox_errors errors;
	struct limited_log scan_limit;
};

/* Prepares a search for mailboxes of uid; borrows watch and log.  0, or -1 with
 * errno. */
int finder_init(struct finder *finder, struct watch *watch, struct log *log,
    const char *path, uint32_t uid, const struct finder_callbacks *callbacks,
    void *owner);

void finder_done(struct finder *finder);

/* Looks at the path now, or later if the last scan took long, and watches the
 * directory from then on; where a limit prevents that, it looks every second.
 * In a directory only sockets count, and of these a limited number; if there
 * are many, the first scan looks at all of them, later ones at some now and at
 * the others soon. */
void finder_scan(struct finder *finder);

/* Sets whether a connection waits for a mailbox. */
void finder_set_waiting(struct finder *finder, int waiting);
