/* SPDX-License-Identifier: ISC */
/*
 * What there is to say of broker and listeners.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "base/clock.h"
#include "config.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATUS_LISTENERS 16 /* a step, about a millisecond */

static const char *const status_handoffs[] = {
    [RECORD_CONNECTION] = "connection",
    [RECORD_LISTENER] = "listener",
};

/* Who makes names in a mailbox's directory may use any bytes, and so may who
 * writes the configuration. */
json_t *
control_text(const char *text)
{
	json_t *json = json_string(text);
	char *copy = json == NULL ? strdup(text) : NULL;

	for (char *at = copy; at != NULL && *at != '\0'; at++)
		if ((*at & 0x80) != 0)
			*at = '?';
	if (copy != NULL)
		json = json_string(copy);
	free(copy);
	return json;
}

static json_t *
status_endpoints(const struct listener *listener)
{
	json_t *all = json_array();
	const struct listener_endpoint *endpoint;
	struct stat st;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		if (fstat(endpoint->fd, &st) == -1)
			continue;
		json_array_append_new(all,
		    json_pack("{s:o, s:I, s:I}", "name",
			control_text(endpoint->record.name), "inode",
			(json_int_t)st.st_ino, "device",
			(json_int_t)st.st_dev));
	}
	return all;
}

static json_t *
status_counters(const struct control *control, const char *name)
{
	json_t *all = json_object();
	struct stats_listener sum;
	uint64_t value;

	stats_sum(&control->core->stats, name, &sum);
	for (const struct control_counter *counter = control_counters;
	     counter->name != NULL; counter++) {
		memcpy(&value, (const char *)&sum + counter->offset,
		    sizeof(value));
		json_object_set_new(
		    all, counter->name, json_integer((json_int_t)value));
	}
	return all;
}

static json_t *
status_listener(const struct control *control, const struct listener *listener)
{
	const struct record_endpoint *record = listener->record;
	uint64_t now = clock_ms(), absent = listener->absent_ms;

	return json_pack("{s:s, s:s, s:I, s:o, s:s, s:o, s:I, s:o, s:o}",
	    "name", record->listener, "state", listener_state_name(listener),
	    "since_ms", (json_int_t)(now - listener->since_ms), "waiting_ms",
	    absent == 0 ? json_null() :
			  json_integer((json_int_t)(now - absent)),
	    "handoff", status_handoffs[record->handoff], "mailbox",
	    control_text(record->mailbox), "workers",
	    (json_int_t)pool_count_workers(listener->pool), "endpoints",
	    status_endpoints(listener), "counters",
	    status_counters(control, record->listener));
}

int
control_put(FILE *file, json_t *json)
{
	int result = json == NULL ? -1 : json_dumpf(json, file, 0);

	json_decref(json);
	return result;
}

static int
status_begin(FILE *file, const struct control *control)
{
	uint64_t uptime = clock_ms() - control->started_ms;
	uint64_t orphan_ms = control->orphan_until_ms;
	json_t *monitor, *orphan;
	char epoch[17];

	snprintf(epoch, sizeof(epoch), "%016llx",
	    (unsigned long long)control->core->epoch);
	fputs("{\"broker\": ", file);
	monitor = orphan_ms == 0 ? json_integer(getppid()) : json_null();
	orphan = orphan_ms == 0 ? json_null() :
				  json_integer(clock_left_ms(orphan_ms));
	return control_put(file,
	    json_pack("{s:s, s:o, s:I, s:s, s:I, s:o}", "version",
		PACKAGE_VERSION, "monitor", monitor, "engine",
		(json_int_t)getpid(), "epoch", epoch, "uptime_ms",
		(json_int_t)uptime, "orphan_ms", orphan));
}

enum control_step
control_status_step(struct control_report *report)
{
	const struct listener *listener = report->listener;
	FILE *file = report->file;

	if (report->done == 0) {
		if (status_begin(file, report->control) == -1)
			return CONTROL_FAILED;
		fputs(",\n\"listeners\": [", file);
	}
	for (int i = 0; i < STATUS_LISTENERS && listener != NULL; i++) {
		fputs(report->done++ == 0 ? "\n" : ",\n", file);
		if (control_put(
			file, status_listener(report->control, listener)) == -1)
			return CONTROL_FAILED;
		listener = TAILQ_NEXT(listener, entry);
	}
	report->listener = listener;
	if (listener != NULL)
		return CONTROL_MORE;
	fputs("\n]}\n", file);
	return CONTROL_DONE;
}
