/* SPDX-License-Identifier: ISC */
/*
 * The absence of workers.  Engine, unprivileged.  Workers may come and go all
 * the time, so of short absences one in a second is told.
 */
#include "engine/listener/absence.h"

#include "base/clock.h"
#include "engine/pool/vitals.h"

static void
absence_tell(struct absence *absence, struct log *log, const char *name,
    const struct pool *pool)
{
	const char *answers =
	    vitals_count(pool, SILENCE_STUCK) > 0 ? " answers" : "";

	absence->told = limited_log_line(&absence->limit, log, LOG_NOTICE,
	    "listener %s: no worker at %s%s: connections wait", name,
	    pool->finder.path, answers);
}

void
absence_go_on(struct absence *absence, struct log *log, const char *name,
    const struct pool *pool)
{
	if (absence->since_ms == 0) {
		absence->since_ms = clock_ms();
		absence_tell(absence, log, name, pool);
	} else if (!absence->told && clock_ms() >= absence->limit.next_ms) {
		absence->limit.suppressed--; /* this one was only late */
		absence_tell(absence, log, name, pool);
	}
}

uint64_t
absence_waited_ms(const struct absence *absence)
{
	return absence->since_ms == 0 ? 0 : clock_ms() - absence->since_ms;
}

void
absence_end(struct absence *absence, struct log *log, const char *name)
{
	if (absence->since_ms != 0 && absence->told)
		log_line(log, LOG_NOTICE,
		    "listener %s: a worker is there after %llu ms", name,
		    (unsigned long long)absence_waited_ms(absence));
	absence->since_ms = 0;
}
