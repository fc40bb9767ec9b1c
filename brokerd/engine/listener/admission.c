/* SPDX-License-Identifier: ISC */
/*
 * Who may come.  Engine, unprivileged.  To refuse somebody at once, the engine
 * must accept although no worker has room; the others wait here.  So what waits
 * is limited, and sources are served in turn.
 */
#include "engine/listener/admission.h"

#include "base/clock.h"
#include "engine/handoff/ledger.h"
#include "engine/listener/listener.h"
#include "engine/pool/dispatch.h"

#include <sys/random.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

#define ADMISSION_GROUPS 1024
#define ADMISSION_FD_PART 2 /* half of all descriptors must be left */

struct admission *
admission_new(
    struct listener *listener, struct record_rule *rules, size_t count)
{
	struct admission *admission = calloc(1, sizeof(*admission));
	uint64_t key[2];

	if (admission == NULL ||
	    getrandom(key, sizeof(key), 0) != sizeof(key)) {
		free(admission);
		free(rules);
		return NULL;
	}
	admission->listener = listener;
	admission->limits = &listener->record->source;
	access_init(&admission->access, rules, count,
	    (admission->limits->flags & RECORD_SOURCE_ALLOW) != 0);
	source_table_init(&admission->sources, key, SOURCE_TABLE_MOST);
	fair_ring_init(&admission->ring);
	if (open_count_init(&admission->open, listener, &admission->sources) ==
	    0)
		return admission;
	access_done(&admission->access);
	free(admission);
	return NULL;
}

/* Returns the first hand-off of the source that is next, which waits no more;
 * NULL if none does. */
static struct handoff *
admission_take(struct admission *admission)
{
	struct source_entry *source = (void *)fair_ring_next(&admission->ring);
	struct handoff *handoff;

	if (source == NULL)
		return NULL;
	handoff = TAILQ_FIRST(&source->waiting);
	TAILQ_REMOVE(&source->waiting, handoff, entry);
	handoff->stats->held--;
	fair_ring_take(&admission->ring, &source->share);
	if (source->share.count == 0)
		source_table_release(&admission->sources, source);
	return handoff;
}

void
admission_free(struct admission *admission)
{
	struct handoff *handoff;

	if (admission == NULL)
		return;
	while ((handoff = admission_take(admission)) != NULL)
		handoff_free(handoff);
	open_count_done(&admission->open);
	source_table_done(&admission->sources);
	access_done(&admission->access);
	free(admission);
}

/* If the kernel does not tell, the client is nobody, never root. */
static struct ucred
admission_peer(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == -1 ||
	    size != sizeof(peer))
		peer = (struct ucred){.uid = RECORD_NO_ID, .gid = RECORD_NO_ID};
	return peer;
}

static int
admission_allows_user(
    const struct access *access, int fd, const struct ucred *peer)
{
	gid_t groups[ADMISSION_GROUPS + 1];
	socklen_t size = sizeof(groups) - sizeof(groups[0]);
	size_t count;

	if (!access->has_groups)
		return access_allows_user(access, peer->uid, NULL, 0);
	/* A client with more groups than that is refused. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) == -1)
		return 0;
	count = size / sizeof(groups[0]);
	groups[count++] = peer->gid;
	return access_allows_user(access, peer->uid, groups, count);
}

static void
admission_deny(
    struct admission *admission, const struct source_address *address)
{
	static const uint32_t whole[2] = {32, 128};
	const struct listener *listener = admission->listener;
	char text[SOURCE_ADDRESS_TEXT_SIZE];

	listener->stats->refused_denied++;
	source_address_print(address, whole, text);
	limited_log_line(&admission->refuse_limit, listener->context->log,
	    LOG_NOTICE,
	    "listener %s: refused a connection from %s: allow and deny do not "
	    "let it in",
	    listener->record->listener, text);
}

/* The reason follows the number. */
static void
admission_refuse(struct admission *admission,
    const struct source_address *address, uint64_t *counter, uint32_t number,
    const char *reason)
{
	const struct listener *listener = admission->listener;
	char text[SOURCE_ADDRESS_TEXT_SIZE];

	(*counter)++;
	source_address_print(address, admission->limits->prefix, text);
	limited_log_line(&admission->refuse_limit, listener->context->log,
	    LOG_NOTICE,
	    "listener %s: refused a connection from %s: %u %s: refusing until "
	    "there are fewer",
	    listener->record->listener, text, number, reason);
}

/* True if that client may come; else it is refused. */
static int
admission_lets_in(struct admission *admission,
    const struct record_endpoint *record, int fd,
    const struct sockaddr_storage *peer, struct source_address *out_address)
{
	struct ucred user;
	int allowed;

	if (record->socket.address.ss_family == AF_UNIX) {
		user = admission_peer(fd);
		source_address_of_user(out_address, user.uid);
		allowed = admission_allows_user(&admission->access, fd, &user);
	} else {
		allowed = source_address_of_peer(out_address, peer) == 0 &&
		    access_allows_address(&admission->access, out_address);
	}
	if (!allowed)
		admission_deny(admission, out_address);
	return allowed;
}

int
admission_reserve(struct admission *admission)
{
	return admission == NULL ? 0 :
				   source_table_reserve(&admission->sources);
}

/* Finds the source.  One for which there is no room is not limited. */
static struct source_entry *
admission_source(struct admission *admission, struct source_address address)
{
	source_address_group(&address, admission->limits->prefix);
	return source_table_get(&admission->sources, &address, clock_us());
}

/* Only who asks for that by accept-ahead has clients refused because others may
 * wait behind them.  Without it, what waits keeps the listener from accepting,
 * as if no worker had room. */
static int
admission_has_share(
    struct admission *admission, const struct source_entry *source)
{
	uint32_t most = admission->limits->accept_ahead;

	if (!(admission->limits->flags & RECORD_SOURCE_AHEAD) || most == 0 ||
	    fair_ring_may_add(&admission->ring, &source->share, most))
		return 1;
	admission_serve(admission);
	return fair_ring_may_add(&admission->ring, &source->share, most);
}

struct source_entry *
admission_judge(struct admission *admission,
    const struct record_endpoint *record, int fd,
    const struct sockaddr_storage *peer)
{
	const struct record_source *limits = admission->limits;
	struct stats_listener *stats = admission->listener->stats;
	struct source_address address;
	struct source_entry *source;

	if (!admission_lets_in(admission, record, fd, peer, &address))
		return NULL;
	source = admission_source(admission, address);
	if (source == NULL) {
		admission_refuse(admission, &address, &stats->refused_share,
		    SOURCE_TABLE_MOST,
		    "sources have connections that wait, and no more can be "
		    "known");
		return NULL;
	}
	if (open_count_exceeds(&admission->open, source))
		admission_refuse(admission, &source->address,
		    &stats->refused_open, limits->max_per_source,
		    "are open, as many as max-per-source allows");
	else if (limits->rate != 0 &&
	    !rate_take(
		&source->rate, clock_us(), limits->rate, limits->rate_period_s))
		admission_refuse(admission, &source->address,
		    &stats->refused_rate, limits->rate,
		    "came in the time of rate-per-source, as many as it "
		    "allows");
	else if (!admission_has_share(admission, source))
		admission_refuse(admission, &source->address,
		    &stats->refused_share, (uint32_t)source->share.count,
		    "wait, as many as accept-ahead leaves for others");
	else
		return source;
	/* The kernel does not count a client that is gone. */
	open_count_remove(&admission->open, source);
	return NULL;
}

/* What waits must leave descriptors to everything else. */
int
admission_has_room(const struct admission *admission)
{
	struct fd_reserve *reserve;
	uint64_t enough;

	if (admission == NULL)
		return 0;
	reserve = admission->listener->context->reserve;
	enough = (uint64_t)reserve->first / ADMISSION_FD_PART;
	return admission->ring.count < admission->limits->accept_ahead &&
	    fd_reserve_left(reserve, enough) >= enough;
}

int
admission_is_empty(const struct admission *admission)
{
	return admission == NULL || admission->ring.count == 0;
}

size_t
admission_sources(const struct admission *admission)
{
	return admission == NULL ? 0 : admission->ring.sources;
}

/* Those of an earlier engine come in any order. */
void
admission_wait(struct admission *admission, struct source_entry *source,
    struct handoff *handoff)
{
	struct handoff *before = NULL;

	if (!TAILQ_EMPTY(&source->waiting))
		before = TAILQ_LAST(&source->waiting, source_queue);
	while (
	    before != NULL && before->accept_time_ns > handoff->accept_time_ns)
		before = TAILQ_PREV(before, source_queue, entry);
	if (before == NULL)
		TAILQ_INSERT_HEAD(&source->waiting, handoff, entry);
	else
		TAILQ_INSERT_AFTER(&source->waiting, before, handoff, entry);
	handoff->stats->held++;
	if (source->share.count == 0)
		source_table_hold(&admission->sources, source);
	fair_ring_add(&admission->ring, &source->share);
}

/* One that drains or refuses has no queue. */
void
admission_take_over(struct admission *admission, struct handoff *handoff)
{
	struct listener *listener = admission->listener;
	struct source_address address;
	struct source_entry *source = NULL;

	source_address_of_user(&address, handoff->credentials.uid);
	if ((listener->state != LISTENER_STOPPED ||
		listener->started_ms == 0) &&
	    listener->state != LISTENER_REFUSING &&
	    (handoff->endpoint->socket.address.ss_family == AF_UNIX ||
		source_address_of_peer(&address, &handoff->peer) == 0))
		source = admission_source(admission, address);
	if (source == NULL) {
		dispatch_take_over(listener->pool, handoff);
		return;
	}
	ledger_hold(handoff->bounded->ledger, handoff);
	open_count_add(&admission->open, source);
	admission_wait(admission, source, handoff);
	if (listener->state == LISTENER_OPEN)
		timer_set(&listener->timer, 0); /* to be served */
}

void
admission_serve(struct admission *admission)
{
	const struct source_entry *source;
	struct worker *worker;
	struct pool *pool;

	while (!admission_is_empty(admission)) {
		pool = admission->listener->pool;
		source = (void *)fair_ring_next(&admission->ring);
		worker = dispatch_pick(
		    pool, TAILQ_FIRST(&source->waiting)->endpoint);
		/* Looking for room may have served them. */
		if (worker == NULL || admission_is_empty(admission))
			return;
		dispatch_put(pool, worker, admission_take(admission));
	}
}

void
admission_leave(struct admission *admission)
{
	while (!admission_is_empty(admission))
		dispatch_take_over(
		    admission->listener->pool, admission_take(admission));
}
