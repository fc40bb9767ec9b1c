/* SPDX-License-Identifier: ISC */
/*
 * The table of counters, and helpers of all reports.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define COUNTER(name, description)                                           \
	{                                                                    \
#name, offsetof(struct stats_listener, name), 0, description \
	}
#define GAUGE(name, description)                                             \
	{                                                                    \
#name, offsetof(struct stats_listener, name), 1, description \
	}

const struct report_counter report_counters[] = {
    COUNTER(accepted, "Connections accepted"),
    COUNTER(taken, "Connections that a worker confirmed"),
    COUNTER(plain, "Connections sent to a worker that gives no receipts"),
    COUNTER(expired, "Connections without a receipt within receipt-timeout"),
    COUNTER(died, "Connections that a worker which died may have touched"),
    COUNTER(dead, "Connections whose client was gone before the hand-off"),
    COUNTER(refused_absent, "Connections refused: no worker within give-up"),
    COUNTER(refused_drain, "Connections refused: the engine had to end"),
    COUNTER(refused_deaths,
	"Connections refused: too many workers died serving them"),
    COUNTER(refused_denied, "Connections refused: allow and deny say so"),
    COUNTER(refused_open,
	"Connections refused: the source has max-per-source open"),
    COUNTER(refused_rate, "Connections refused: too many in rate-per-source"),
    COUNTER(refused_share,
	"Connections refused: the source has its share of accept-ahead"),
    COUNTER(orphaned, "Connections that a worker had when an engine died"),
    COUNTER(lost, "Connections that an engine had when it died"),
    GAUGE(held, "Connections accepted and held by the engine"),
    GAUGE(unreceipted, "Connections that a worker has not confirmed"),
    COUNTER(handed_off, "Hand-offs, again after each return"),
    COUNTER(
	plain_died, "Of the plain ones: maybe not read by a worker that died"),
    COUNTER(returned_death, "Hand-offs returned: the worker died"),
    COUNTER(returned_limit, "Hand-offs returned: no descriptors left"),
    COUNTER(
	returned_denied, "Hand-offs returned: a security module denied them"),
    COUNTER(returned_engine, "Connections taken over from a killed engine"),
    COUNTER(returned_sent, "The same, of a worker that was killed as well"),
    COUNTER(lent, "Sockets lent to workers"),
    COUNTER(repaired, "Times that a socket had been changed and was put right"),
    COUNTER(accept_skipped, "Errors of accept that concerned one connection"),
    COUNTER(accept_paused, "Times that a limit stopped accepting"),
    COUNTER(worker_away, "Sends that found the worker gone"),
    COUNTER(worker_leaving, "Sends that found the worker leaving"),
    COUNTER(worker_full, "Sends that found the mailbox full"),
    COUNTER(send_retried, "Sends that were tried again"),
    COUNTER(send_failed, "Sends that failed for good"),
    {NULL, 0, 0, NULL},
};

uint64_t
report_counter_value(
    const struct report_counter *counter, const struct stats_listener *counters)
{
	uint64_t value;

	memcpy(&value, (const char *)counters + counter->offset, sizeof(value));
	return value;
}

void
report_free(struct report *report)
{
	if (report == NULL)
		return;
	if (report->file != NULL)
		fclose(report->file);
	free(report->sums);
	timer_done(&report->next);
	free(report->text);
	free(report);
}

int
report_json(struct report *report, json_t *json)
{
	int result = json == NULL ?
	    -1 :
	    json_dumpf(json, report->file, JSON_ENSURE_ASCII);

	json_decref(json);
	return result;
}

int
report_item(struct report *report, json_t *item)
{
	fputs(report->done++ == 0 ? "\n" : ",\n", report->file);
	return report_json(report, item);
}

void
report_metric_head(FILE *file, const char *name, const char *end,
    const char *type, const char *description)
{
	fprintf(file, "# HELP portbroker_%s%s %s\n# TYPE portbroker_%s%s %s\n",
	    name, end, description, name, end, type);
}

/* Workers choose the names of their mailboxes, and administrators write the
 * configuration in any encoding. */
json_t *
report_text(const char *bytes)
{
	json_t *json = json_string(bytes);
	char *copy = json == NULL ? strdup(bytes) : NULL;

	for (char *at = copy; at != NULL && *at != '\0'; at++)
		if ((*at & 0x80) != 0)
			*at = '?';
	if (copy != NULL)
		json = json_string(copy);
	free(copy);
	return json;
}

void
report_add_line(json_t *lines, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	json_array_append_new(lines, report_text(text));
}
