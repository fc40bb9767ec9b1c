/* SPDX-License-Identifier: ISC */
/*
 * Takes over from earlier engines.  Engine, unprivileged.  While this one is
 * loaded and until the one before drains, administrators reach either, and that
 * one cannot know that it is told something for the last time; so this one
 * looks at its file.
 */
#include "engine/life/inheritance.h"

#include "base/clock.h"
#include "base/fd.h"

#include <errno.h>
#include <string.h>

#define INHERITANCE_LOOK_US 50000
#define INHERITANCE_MS 10000 /* if that one never says that it drains */

static void
inheritance_on_look(void *owner)
{
	struct inheritance *inheritance = owner;
	int said = stats_follow(inheritance->stats);

	if (said == 1) {
		log_line(inheritance->log, LOG_NOTICE,
		    "the engine before was told to pause, resume or drain "
		    "something: the same is done here");
		inheritance->callbacks->on_said(inheritance->owner);
	}
	if (said != -1 && clock_ms() < inheritance->until_ms)
		timer_set(&inheritance->look, INHERITANCE_LOOK_US);
}

int
inheritance_init(struct inheritance *inheritance, struct event_base *base,
    struct stats *stats, struct ledger *ledger, struct log *log,
    const struct inheritance_callbacks *callbacks, void *owner)
{
	*inheritance = (struct inheritance){.stats = stats,
	    .log = log,
	    .ledger = ledger,
	    .callbacks = callbacks,
	    .owner = owner};
	return timer_init(
	    &inheritance->look, base, inheritance_on_look, inheritance);
}

static int
inheritance_fail(const struct inheritance *inheritance)
{
	log_line(inheritance->log, LOG_ERR,
	    "counters: %s: this engine ends, and the next one sums up",
	    strerror(errno));
	return -1;
}

/* The keeper needs them as well. */
static void
inheritance_pass(const struct inheritance *inheritance)
{
	uint32_t number = 0;
	int fd;

	do {
		fd = stats_find_file(inheritance->stats, number);
		ledger_pass_counters(inheritance->ledger, number++, fd);
	} while (fd != -1);
}

/* While this engine is loading, the file for the sums waits for the table.  A
 * later one is for the counters of engines that have ended meanwhile, whose
 * last words are read before their files are closed. */
int
inheritance_on_counters(struct inheritance *inheritance, enum channel_type type,
    enum channel_phase phase, int fd)
{
	struct legacy *legacy = &inheritance->stats->legacy;

	if (type == CHANNEL_COUNTERS_SUMS)
		legacy_set_next(legacy, fd);
	else if (type == CHANNEL_COUNTERS_ENDED || phase == CHANNEL_LOADING)
		legacy_add(legacy, fd, type == CHANNEL_COUNTERS_LIVE);
	else
		fd_close(fd); /* it is known */
	if (type != CHANNEL_COUNTERS_SUMS || phase == CHANNEL_LOADING)
		return 0;
	inheritance_on_look(inheritance);
	if (stats_sum_up(inheritance->stats) == -1)
		return inheritance_fail(inheritance);
	inheritance_pass(inheritance);
	return channel_send(CHANNEL_FD, CHANNEL_SUMMED, NULL, -1) == -1 ?
	    inheritance_fail(inheritance) :
	    0;
}

int
inheritance_load(struct inheritance *inheritance)
{
	const char *version;

	if (stats_load(inheritance->stats) == -1)
		return inheritance_fail(inheritance);
	inheritance_pass(inheritance);
	version = stats_new_version(inheritance->stats);
	if (version != NULL)
		log_line(inheritance->log, LOG_NOTICE,
		    "version %s takes over from version %s", version,
		    inheritance->stats->legacy.package);
	return 0;
}

void
inheritance_start(struct inheritance *inheritance)
{
	inheritance->until_ms = clock_ms() + INHERITANCE_MS;
	inheritance_on_look(inheritance);
}

void
inheritance_done(struct inheritance *inheritance)
{
	timer_done(&inheritance->look);
}
