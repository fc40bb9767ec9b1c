/* SPDX-License-Identifier: ISC */
/*
 * Explains which clients a listener admits, and which of them wait in the
 * engine.  Unprivileged.
 */
#include "engine/control/explain.h"

#include "engine/listener/admission.h"

#define SOURCES_TOP 5 /* that are named */

/* The reasons, and what helps. */
static const struct {
	struct report_counter counter; /* its offset */
	const char *reason;
	const char *advice;
} sources_refusals[] = {
    {{.offset = offsetof(struct stats_listener, refused_denied)},
	"allow and deny do not let their sources in",
	"The log names some of these.  If they should come, change the "
	"rules."},
    {{.offset = offsetof(struct stats_listener, refused_open)},
	"their sources had max-per-source open",
	"Clients behind one proxy are one source: it needs more, or a "
	"listener of its own.  An attacker with many addresses needs a shorter "
	"source-prefix."},
    {{.offset = offsetof(struct stats_listener, refused_rate)},
	"their sources came more often than rate-per-source allows",
	"Clients behind one proxy are one source: raise the limit if they "
	"should come so often."},
    {{.offset = offsetof(struct stats_listener, refused_share)},
	"their sources had their share of accept-ahead waiting",
	"More workers, or a larger window, would let fewer wait."},
    {{.offset = offsetof(struct stats_listener, refused_absent)},
	"there was no worker within give-up", "Start one, or raise give-up."},
    {{.offset = offsetof(struct stats_listener, refused_deaths)},
	"too many workers died with them", "See the log of the workers."},
    {{.offset = offsetof(struct stats_listener, refused_drain)},
	"an engine had to end before a worker took them",
	"Raise drain-timeout, or start more workers."},
};

/* The sources with the most connections, the first one has the most. */
struct sources_top {
	const struct source_table *sources;
	const struct source_entry *items[SOURCES_TOP];
	size_t count;
};

static size_t
sources_weight(const struct source_entry *source)
{
	return (size_t)source->open.count + source->share.count;
}

static void
sources_rank(void *owner, struct source_entry *source)
{
	struct sources_top *top = owner;
	size_t i = top->count;

	source_table_open(top->sources, source);
	if (sources_weight(source) == 0)
		return;
	while (i > 0 &&
	    sources_weight(top->items[i - 1]) < sources_weight(source)) {
		if (i < SOURCES_TOP)
			top->items[i] = top->items[i - 1];
		i--;
	}
	if (i < SOURCES_TOP)
		top->items[i] = source;
	top->count += top->count < SOURCES_TOP;
}

static void
explain_limits(const struct record_source *limits, json_t *lines)
{
	if (limits->rules > 0)
		report_add_line(lines,
		    "Rules of allow and deny: %u.  Clients that none of them "
		    "names %s.  Those who may not come are refused at once.",
		    limits->rules,
		    limits->flags & RECORD_SOURCE_ALLOW ? "may not come" :
							  "may come");
	if (limits->max_per_source > 0)
		report_add_line(lines,
		    "A source may have %u connections (max-per-source): "
		    "further ones are refused at once.",
		    limits->max_per_source);
	if (limits->rate > 0)
		report_add_line(lines,
		    "A source may make %u connections in %u s "
		    "(rate-per-source): further ones are refused at once.",
		    limits->rate, limits->rate_period_s);
}

static void
explain_waiting(const struct admission *admission, json_t *lines)
{
	const struct record_source *limits = admission->limits;

	if (admission->ring.count == 0)
		return;
	report_add_line(lines,
	    "In the engine %zu connections of %zu sources wait for a worker, "
	    "at most %u (accept-ahead).  Sources are served in turn.",
	    admission->ring.count, admission->ring.sources,
	    limits->accept_ahead);
	report_add_line(lines,
	    limits->flags & RECORD_SOURCE_AHEAD ?
		"If as many of one source wait as are left for all others, "
		"its further ones are refused.  Once so many wait in all, "
		"further ones wait in the kernel." :
		"Once so many wait, further ones wait in the kernel.");
}

void
explain_refused(const struct control_context *context,
    const struct listener *listener, json_t *lines)
{
	struct stats_listener all;
	uint64_t count;

	stats_sum(context->stats, listener->stats, &all);
	for (size_t i = 0;
	     i < sizeof(sources_refusals) / sizeof(sources_refusals[0]); i++) {
		count =
		    report_counter_value(&sources_refusals[i].counter, &all);
		if (count > 0)
			report_add_line(lines,
			    "Refused so far, because %s: %llu.  %s",
			    sources_refusals[i].reason,
			    (unsigned long long)count,
			    sources_refusals[i].advice);
	}
}

void
explain_sources(const struct listener *listener, json_t *lines)
{
	const struct admission *admission = listener->admission;
	char text[SOURCE_ADDRESS_TEXT_SIZE];
	struct sources_top top = {.count = 0};

	if (admission == NULL)
		return;
	top.sources = &admission->sources;
	explain_limits(admission->limits, lines);
	explain_waiting(admission, lines);
	if (admission->limits->max_per_source > 0 || admission->ring.count > 0)
		source_table_each(&admission->sources, sources_rank, &top);
	for (size_t i = 0; i < top.count; i++) {
		source_address_print(
		    &top.items[i]->address, admission->limits->prefix, text);
		if (admission->limits->max_per_source == 0)
			report_add_line(lines, "%s: %zu wait.", text,
			    top.items[i]->share.count);
		else
			report_add_line(lines,
			    "%s: %zu wait; %u open when counted last, or "
			    "since%s.",
			    text, top.items[i]->share.count,
			    top.items[i]->open.count,
			    top.items[i]->open.count <
				    admission->limits->max_per_source ?
				"" :
				": further ones are refused");
	}
	if (top.count > 0)
		report_add_line(lines,
		    "These have most.  To keep one of them out, add it to "
		    "deny, and reload.");
	if (admission->sources.forgotten > 0)
		report_add_line(lines,
		    "More sources than %zu came: %llu of which something was "
		    "known were forgotten, and are counted anew.",
		    admission->sources.most,
		    (unsigned long long)admission->sources.forgotten);
}
