/* SPDX-License-Identifier: ISC */
/*
 * Answers of the broker as text for people: lines and tables.  brokerctl, any
 * uid.  Exits when there is no memory, since it could do nothing else.
 */
#include "ctl/print.h"

#include "base/text.h"
#include "ctl/columns.h"
#include "ctl/proc.h"

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PRINT_UNTAKEN_MS 1000

void
print_line(FILE *file, const char *text, size_t length)
{
	char *line = strndup(text, length);

	if (line == NULL)
		err(EX_OSERR, "no memory");
	text_make_printable(line);
	fprintf(file, "%s\n", line);
	free(line);
}

void
print_lines(FILE *file, const char *prefix, const char *text)
{
	const char *end;

	for (; text != NULL; text = *end == '\n' ? end + 1 : NULL) {
		end = strchrnul(text, '\n');
		fputs(prefix, file);
		print_line(file, text, (size_t)(end - text));
	}
}

void
print_text(const json_t *answer)
{
	const json_t *text = json_object_get(answer, "text"), *line;
	size_t i;

	json_array_foreach(text, i, line) print_line(
	    stdout, json_string_value(line), json_string_length(line));
	print_lines(stdout, "", json_string_value(text));
	if (text == NULL)
		puts("done");
}

void
print_duration(char *text, size_t size, json_int_t ms)
{
	static const struct {
		json_int_t seconds;
		const char *name;
	} units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
	json_int_t seconds = ms / 1000;
	size_t i = 0;

	while (units[i].seconds > 1 && seconds < 2 * units[i].seconds)
		i++;
	snprintf(text, size, "%" JSON_INTEGER_FORMAT " %s",
	    seconds / units[i].seconds, units[i].name);
}

static json_int_t
print_counter(const json_t *listener, const char *name)
{
	return json_integer_value(
	    json_object_get(json_object_get(listener, "counters"), name));
}

static void
print_add_since(struct columns *table, const json_t *object)
{
	const json_t *since = json_object_get(object, "since_ms");
	char text[32] = "-";

	if (json_is_integer(since))
		print_duration(text, sizeof(text), json_integer_value(since));
	columns_add(table, "%s", text);
}

static void
print_add_listener(struct columns *table, const json_t *listener)
{
	columns_add_value(table, listener, "name");
	columns_add_value(table, listener, "state");
	print_add_since(table, listener);
	columns_add_value(table, listener, "workers");
	columns_add(table, "%" JSON_INTEGER_FORMAT,
	    print_counter(listener, "accepted"));
	columns_add(table, "%" JSON_INTEGER_FORMAT,
	    print_counter(listener, "held") +
		print_counter(listener, "unreceipted"));
	columns_add(table, "%" JSON_INTEGER_FORMAT,
	    print_counter(listener, "refused_absent") +
		print_counter(listener, "refused_drain") +
		print_counter(listener, "refused_deaths"));
}

/* "3/128": what waits in the kernel, and the limit. */
static void
print_add_queue(struct columns *table, const json_t *queue)
{
	const char *unit = json_string_value(json_object_get(queue, "unit"));

	if (json_is_integer(json_object_get(queue, "size")))
		columns_add(table,
		    "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "%s",
		    json_integer_value(json_object_get(queue, "size")),
		    json_integer_value(json_object_get(queue, "limit")),
		    unit != NULL && strcmp(unit, "bytes") == 0 ? "B" : "");
	else if (json_is_true(json_object_get(queue, "waits")))
		columns_add(table, "some");
	else
		columns_add(table, queue == NULL ? "-" : "0");
	columns_add_value(table, queue, "dropped");
}

/* A row for each endpoint; the columns of the listener are in the first. */
static void
print_add_rows(struct columns *table, const json_t *listener)
{
	const json_t *endpoint;
	size_t i;

	json_array_foreach(json_object_get(listener, "endpoints"), i, endpoint)
	{
		const char *error =
		    json_string_value(json_object_get(endpoint, "error"));

		if (i == 0)
			print_add_listener(table, listener);
		else
			for (int column = 0; column < 7; column++)
				columns_add(table, "\"");
		print_add_queue(table, json_object_get(endpoint, "queue"));
		columns_add(table, "%s%s%s",
		    json_string_value(json_object_get(endpoint, "name")),
		    error == NULL ? "" : ": not bound: ",
		    error == NULL ? "" : error);
	}
}

static void
print_broker(const json_t *broker)
{
	const json_t *orphan = json_object_get(broker, "orphan_ms");
	const char *unwatched =
	    json_string_value(json_object_get(broker, "unwatched"));
	char up[32], engine[32], left[32];

	print_duration(up, sizeof(up),
	    json_integer_value(json_object_get(broker, "uptime_ms")));
	print_duration(engine, sizeof(engine),
	    json_integer_value(json_object_get(broker, "engine_ms")));
	print_duration(left, sizeof(left), json_integer_value(orphan));
	printf("brokerd %s, ",
	    json_string_value(json_object_get(broker, "version")));
	if (json_is_integer(orphan))
		printf("which has died: start it again within %s", left);
	else
		printf("pid %" JSON_INTEGER_FORMAT " for %s",
		    json_integer_value(json_object_get(broker, "monitor")), up);
	printf("; engine %" JSON_INTEGER_FORMAT " for %s\n",
	    json_integer_value(json_object_get(broker, "engine")), engine);
	if (unwatched != NULL)
		printf(
		    "mailboxes are looked for every second: %s\n", unwatched);
}

/* A line for each lent socket whose clients nobody takes. */
static void
print_untaken(const json_t *listeners)
{
	const json_t *listener, *endpoint, *ms;
	char text[32];
	size_t i, n;

	json_array_foreach(listeners, i, listener) json_array_foreach(
	    json_object_get(listener, "endpoints"), n, endpoint)
	{
		ms = json_object_get(
		    json_object_get(endpoint, "queue"), "untaken_ms");
		if (json_integer_value(ms) < PRINT_UNTAKEN_MS)
			continue;
		print_duration(text, sizeof(text), json_integer_value(ms));
		printf("Clients have waited at %s for %s, and no program takes "
		       "them: see \"brokerctl explain %s\".\n",
		    json_string_value(json_object_get(endpoint, "name")), text,
		    json_string_value(json_object_get(listener, "name")));
	}
}

static void
print_add_holder(struct columns *table, const json_t *holder)
{
	const json_t *since = json_object_get(holder, "since_ms");
	char text[32] = "-";

	if (json_is_integer(since))
		print_duration(text, sizeof(text), json_integer_value(since));
	columns_add_value(table, holder, "listener");
	columns_add_value(table, holder, "sockets");
	columns_add_value(table, holder, "pid");
	columns_add_value(table, holder, "program");
	columns_add_value(table, holder, "uid");
	columns_add(table, "%s", text);
}

/* Says which owners of mailboxes wait. */
static void
print_owners(const json_t *owners)
{
	const json_t *owner, *waiting, *reason;
	char text[32];
	size_t i;

	json_array_foreach(owners, i, owner)
	{
		waiting = json_object_get(owner, "waiting_ms");
		reason = json_object_get(owner, "text");
		if (!json_is_integer(waiting) || !json_is_string(reason))
			continue;
		print_duration(text, sizeof(text), json_integer_value(waiting));
		printf("for %s: ", text);
		print_line(stdout, json_string_value(reason),
		    json_string_length(reason));
	}
}

void
print_status(const json_t *answer)
{
	json_t *holders = proc_list_holders(answer);

	print_broker(json_object_get(answer, "broker"));
	print_owners(json_object_get(answer, "owners"));
	columns_print(
	    "LISTENER STATE SINCE WORKERS ACCEPTED IN-HAND REFUSED QUEUE "
	    "DROPPED ENDPOINT",
	    json_object_get(answer, "listeners"), print_add_rows);
	if (json_array_size(holders) > 0)
		columns_print("LENT SOCKETS PID PROGRAM UID SINCE", holders,
		    print_add_holder);
	print_untaken(json_object_get(answer, "listeners"));
	json_decref(holders);
}

/* "www,www-alt" */
static void
print_add_names(struct columns *table, const json_t *listeners)
{
	char text[256] = "";
	const json_t *name;
	size_t i, used = 0;

	json_array_foreach(listeners, i, name)
	{
		int n = snprintf(text + used, sizeof(text) - used, "%s%s",
		    i == 0 ? "" : ",", json_string_value(name));

		used += (size_t)n;
		if (used >= sizeof(text))
			break;
	}
	columns_add(table, "%s", text);
}

static void
print_add_worker(struct columns *table, const json_t *worker)
{
	const json_t *oldest_ms = json_object_get(worker, "oldest_ms");
	char oldest[32] = "";

	if (json_is_integer(oldest_ms))
		print_duration(
		    oldest, sizeof(oldest), json_integer_value(oldest_ms));
	print_add_names(table, json_object_get(worker, "listeners"));
	columns_add_value(table, worker, "name");
	columns_add_value(table, worker, "state");
	print_add_since(table, worker);
	if (json_is_true(json_object_get(worker, "shared")))
		columns_add(table, "shared");
	else
		columns_add_value(table, worker, "kind");
	columns_add_value(table, worker, "uid");
	columns_add_value(table, worker, "pid");
	columns_add(table, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(worker, "unreceipted")),
	    json_integer_value(json_object_get(worker, "window")));
	columns_add(table, "%s", oldest);
	columns_add_value(table, worker, "connections");
	columns_add_value(table, worker, "weight");
	columns_add_value(table, worker, "label");
}

void
print_workers(const json_t *answer)
{
	columns_print(
	    "LISTENERS WORKER STATE SINCE KIND UID PID IN-HAND OLDEST "
	    "CONNECTIONS WEIGHT LABEL",
	    json_object_get(answer, "workers"), print_add_worker);
}
