/* SPDX-License-Identifier: ISC */
/*
 * An engine without a monitor.  Unprivileged.  It gives its sockets only to
 * root and to its own user, both of whom could take them in other ways too.
 */
#include "engine/life/orphan.h"

#include "base/clock.h"
#include "base/fd.h"
#include "engine/life/adoption_server.h"

#include <string.h>
#include <unistd.h>

#define ORPHAN_DRAIN_MS 10000

/* Another engine has all of the sockets (removed is 0), or nobody has
 * (0xff). */
static void
orphan_drain(struct orphan *orphan, unsigned char removed)
{
	struct channel_drain how = {.timeout_ms = ORPHAN_DRAIN_MS};

	memset(how.removed, removed, sizeof(how.removed));
	drain_start(orphan->drain, &how);
}

static void
orphan_on_limit(void *owner)
{
	struct orphan *orphan = owner;

	log_line(orphan->log, LOG_ERR, "no monitor for %u s: draining",
	    orphan->timeout_s);
	orphan_drain(orphan, 0xff);
}

int
orphan_init(struct orphan *orphan, struct event_base *base, struct log *log,
    struct drain *drain)
{
	*orphan = (struct orphan){.log = log, .drain = drain};
	return timer_init(&orphan->limit, base, orphan_on_limit, orphan);
}

uint64_t
orphan_start(struct orphan *orphan, struct ledger *ledger)
{
	uint64_t timeout_us = UINT64_C(1000000) * orphan->timeout_s;
	uint64_t until_ms = clock_ms() + timeout_us / 1000;

	orphan->alone = 1;
	ledger_note_orphan(ledger, until_ms);
	log_line(orphan->log, LOG_ERR,
	    "the monitor is gone: serving on until another one comes, for at "
	    "most %u s",
	    orphan->timeout_s);
	if (orphan->timeout_s == 0)
		orphan_drain(orphan, 0);
	else
		timer_set(&orphan->limit, timeout_us);
	return until_ms;
}

int
orphan_on_adopt(struct orphan *orphan, const struct channel_adopt *adopt,
    uid_t uid, int fd, const struct ledger *ledger)
{
	int returns = -1, answered;

	if (!orphan->alone || orphan->drain->until_ms != 0 ||
	    !adoption_server_allows(ledger, uid))
		return -1;
	if (adopt->number != CHANNEL_ADOPTED) {
		answered =
		    adoption_server_answer(fd, adopt->number, ledger, &returns);
		/* For the keeper, which has the same descriptors. */
		if (returns != -1)
			fd_place(returns, CHANNEL_RETURNS);
		fd_close(returns);
		return answered;
	}
	log_line(orphan->log, LOG_NOTICE,
	    "another monitor has the sockets: draining");
	timer_stop(&orphan->limit);
	orphan_drain(orphan, 0);
	return 0;
}

void
orphan_done(struct orphan *orphan)
{
	timer_done(&orphan->limit);
}
