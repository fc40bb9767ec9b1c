/* SPDX-License-Identifier: ISC */
#ifndef UNIT_SEARCH_H
#define UNIT_SEARCH_H

#include "engine/core.h"
#include "engine/mailbox/finder.h"
#include "engine/mailbox/watch.h"

#define SEARCH_NAMES 4

/*
 * A finder with all that it needs, in a loop that runs until something was
 * reached, and fails the test when that takes too long.
 */
struct search {
	struct core core;
	struct watch watch;
	struct finder finder;
	struct event *late;
	int log[2];                         /* a pipe */
	struct mailbox known[SEARCH_NAMES]; /* found, and not gone */
	char names[SEARCH_NAMES][64];       /* of those */
	unsigned int looks; /* how often a mailbox was asked after */
	unsigned int found; /* how often one was found */
	unsigned int gone;  /* how often a name was not there */
};

/* Starts a search for path; nothing is looked at yet. */
void search_init(struct search *search, const char *path, uint32_t owner);

void search_done(struct search *search);

/* Runs the loop until *counter is count, one of those above. */
void search_await(
    struct search *search, const unsigned int *counter, unsigned int count);

/* Runs the loop as long as the finder has a timer. */
void search_await_rest(struct search *search);

/* Handles what has happened already, and awaits nothing. */
void search_settle(struct search *search);

/* True if the finder will look again by itself. */
int search_is_pending(const struct search *search);

/* The found mailbox of that name, or NULL. */
const struct mailbox *search_find(
    const struct search *search, const char *name);

/* Asserts that worker, a mailbox's socket, is what was found as name. */
void search_reaches(const struct search *search, const char *name, int worker);

/* What was logged since the last time. */
const char *search_log(struct search *search);

#endif
