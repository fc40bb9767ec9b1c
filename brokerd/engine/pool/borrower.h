/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/queue.h>
#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

struct event;
struct pool;
struct worker;

/* Borrowers of a pool that are remembered or told of: more are not named. */
#define BORROWERS_MAX 16
#define BORROWER_PROGRAM_SIZE 32

/* A process that was lent the sockets of a pool, and whose mailbox is gone, as
 * is usual with fdrecv-exec(1).  It may have closed them. */
struct borrower {
	TAILQ_ENTRY(borrower) entry;
	pid_t pid;
	uid_t uid;
	int pidfd;
	uint64_t since_ms;
	struct pool *pool;
	struct event *ended;
};

TAILQ_HEAD(borrower_list, borrower);

/* What can be told of one that lives. */
struct borrower_view {
	pid_t pid; /* 0: not known */
	uid_t uid;
	uint64_t since_ms;
	const char *mailbox;                 /* its name; NULL: gone */
	char program[BORROWER_PROGRAM_SIZE]; /* "": not known */
};

/* Remembers the process behind a worker that is to be freed, if it lives and
 * was lent sockets; for the next engines too. */
void borrower_remember(struct pool *pool, struct worker *worker);

/* Adds those that earlier engines remembered, once these are known. */
void borrower_recall(struct pool *pool);

/* True if a process that was lent the sockets may still have them. */
int borrower_list_any(struct pool *pool);

/* Lists those that live, with and without a mailbox.  Returns their number. */
size_t borrower_list_living(
    struct pool *pool, struct borrower_view out_views[BORROWERS_MAX]);

/* Writes "lent to pid 12 (nginx) 5 s ago", say, or that it was lent to none. */
void borrower_list_text(struct pool *pool, char *text, size_t size);

void borrower_list_free(struct borrower_list *list);
