/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/in_flight.h"
#include "engine/worker/link_share.h"

#include <sys/queue.h>
#include <sys/types.h>

#define OWNER_QUOTA_TEXT 256

struct fd_reserve;
struct log;
struct owner_quotas;
struct persistent;
struct worker;

enum owner_quota_lack {
	OWNER_QUOTA_UNREAD, /* too many descriptors in unread mailboxes */
	OWNER_QUOTA_OTHERS, /* others have used up all that may be there */
	OWNER_QUOTA_HELD,   /* the engine holds too many for its receipts */
};

/* One owner of mailboxes, and what its workers use up of the engine. */
struct owner_quota {
	TAILQ_ENTRY(owner_quota) entry;
	struct owner_quotas *quotas;
	uid_t uid;
	struct link_share links;
	TAILQ_HEAD(, worker) workers;
	uint64_t worker_count;
	uint64_t allowance; /* hand-offs until this is asked again */
	uint64_t unread;    /* descriptors in its mailboxes, when asked last */
	uint64_t held;      /* duplicates that wait for its receipts, then */
	uint64_t claimed;   /* in mailboxes that cannot be asked any more, or
			     * sent by earlier engines: at most so many */
	uint64_t waits;     /* times that it had to wait */
	uint64_t since_ms;  /* when it began to wait; 0: it does not */
	enum owner_quota_lack lack;
	int is_logged;
	uint64_t delay_us;
	struct timer retry;
};

/* All owners. */
struct owner_quotas {
	TAILQ_HEAD(, owner_quota) head;
	uint64_t count;
	struct event_base *base;
	struct log *log;
	struct persistent *persistent;
	struct fd_reserve *reserve;
	struct in_flight in_flight;
	/* May be sent, when this was measured last; allowances since then; the
	 * most that was left since allowances were void. */
	uint64_t left, granted, most;
	struct effort_users efforts;
};

/* Borrows all.  0, or -1 with errno. */
int owner_quotas_open(struct owner_quotas *quotas, struct event_base *base,
    struct log *log, struct persistent *persistent, struct fd_reserve *reserve);

/* When there are no workers. */
void owner_quotas_close(struct owner_quotas *quotas);

/* True if that user may have one more worker, and more than one receipt
 * connection of each. */
int owner_quotas_may_join(const struct owner_quotas *quotas, uid_t uid);

/* Sets worker->quota to that of the owner of its mailbox, uid.  0, or -1 with
 * errno. */
int owner_quota_join(
    struct owner_quotas *quotas, struct worker *worker, uid_t uid);

/* The worker is about to be freed.  What is in its mailbox still counts. */
void owner_quota_leave(struct worker *worker);

/* True if the owner may get one more descriptor.  If not, its workers are woken
 * when it may.  Seldom asks the kernel. */
int owner_quota_has_room(struct owner_quota *quota);

/* The kernel refused to send a descriptor to that owner: it has to wait. */
void owner_quota_on_refused(struct owner_quota *quota);

/* A worker has read: if the owner waits, that may be over. */
void owner_quota_hasten(struct owner_quota *quota);

/* Asks the kernel what is unread now. */
void owner_quota_count(struct owner_quota *quota);

/* Says why the owner waits, in at most OWNER_QUOTA_TEXT bytes. */
void owner_quota_describe(
    const struct owner_quota *quota, char *text, size_t size);
