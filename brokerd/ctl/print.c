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
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PRINT_UNTAKEN_MS 1000
#define PRINT_DURATION_SIZE 32

/* Prints length bytes of text as a line, with '?' for control characters:
 * workers choose names, and a terminal obeys control characters. */
static void
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
print_as_it_is(char *text, size_t length)
{
	if (!isatty(STDOUT_FILENO)) {
		fwrite(text, 1, length, stdout);
		return;
	}
	if (length > 0 && text[length - 1] == '\n')
		text[length - 1] = '\0';
	print_lines(stdout, "", text);
}

void
print_text(const json_t *answer)
{
	const json_t *text = json_object_get(answer, "text"), *line;
	size_t i;

	json_array_foreach(text, i, line) if (json_is_string(line)) print_line(
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

static const char *
print_string(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static json_int_t
print_integer(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* All that were refused, whatever for. */
static json_int_t
print_refused(json_t *counters)
{
	json_int_t sum = 0;
	json_t *value;
	const char *name;

	json_object_foreach (counters, name, value)
		if (strncmp(name, "refused_", strlen("refused_")) == 0)
			sum += json_integer_value(value);
	return sum;
}

/* Appends the milliseconds of that name as a cell. */
static void
print_add_duration(
    struct columns *table, const json_t *object, const char *name)
{
	char text[PRINT_DURATION_SIZE] = "";

	if (json_is_integer(json_object_get(object, name)))
		print_duration(text, sizeof(text), print_integer(object, name));
	columns_add(table, "%s", text);
}

static void
print_add_listener(struct columns *table, const json_t *listener)
{
	json_t *counters = json_object_get(listener, "counters");

	columns_add_values(table, listener, "name state");
	print_add_duration(table, listener, "since_ms");
	columns_add_values(table, listener, "workers");
	columns_add(table, "%" JSON_INTEGER_FORMAT,
	    print_integer(counters, "accepted"));
	columns_add(table, "%" JSON_INTEGER_FORMAT,
	    print_integer(counters, "held") +
		print_integer(counters, "unreceipted"));
	columns_add(table, "%" JSON_INTEGER_FORMAT, print_refused(counters));
}

/* "3/128": what waits in the kernel, and the limit. */
static void
print_add_queue(struct columns *table, const json_t *queue)
{
	const char *unit = print_string(queue, "unit");

	if (json_is_integer(json_object_get(queue, "size")))
		columns_add(table,
		    "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "%s",
		    print_integer(queue, "size"), print_integer(queue, "limit"),
		    unit != NULL && strcmp(unit, "bytes") == 0 ? "B" : "");
	else if (json_is_true(json_object_get(queue, "waits")))
		columns_add(table, "some");
	else
		columns_add(table, queue == NULL ? "-" : "0");
	columns_add_values(table, queue, "dropped");
}

/* A row for each endpoint; the columns of the listener are in the first. */
static void
print_add_rows(struct columns *table, const json_t *listener)
{
	const json_t *endpoint;
	size_t i;

	json_array_foreach(json_object_get(listener, "endpoints"), i, endpoint)
	{
		const char *error = print_string(endpoint, "error");

		if (i == 0)
			print_add_listener(table, listener);
		else
			for (int column = 0; column < 7; column++)
				columns_add(table, "\"");
		print_add_queue(table, json_object_get(endpoint, "queue"));
		columns_add(table, "%s%s%s", print_string(endpoint, "name"),
		    error == NULL ? "" : ": not bound: ",
		    error == NULL ? "" : error);
	}
}

/* Prints a line in the same way as print_line(). */
static void __attribute__((format(printf, 1, 2)))
print_sentence(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) == -1)
		err(EX_OSERR, "no memory");
	va_end(ap);
	print_line(stdout, text, strlen(text));
	free(text);
}

static void
print_broker(const json_t *broker)
{
	const char *unwatched = print_string(broker, "unwatched");
	int died = json_is_integer(json_object_get(broker, "orphan_ms"));
	char time[PRINT_DURATION_SIZE], engine[PRINT_DURATION_SIZE];
	char who[PRINT_DURATION_SIZE] = "which has died";

	if (!died)
		snprintf(who, sizeof(who), "pid %" JSON_INTEGER_FORMAT,
		    print_integer(broker, "monitor"));
	print_duration(time, sizeof(time),
	    print_integer(broker, died ? "orphan_ms" : "uptime_ms"));
	print_duration(
	    engine, sizeof(engine), print_integer(broker, "engine_ms"));
	print_sentence("brokerd %s, %s%s %s; engine %" JSON_INTEGER_FORMAT
		       " for %s",
	    print_string(broker, "version"), who,
	    died ? ": start it again within" : " for", time,
	    print_integer(broker, "engine"), engine);
	if (unwatched != NULL)
		print_sentence(
		    "mailboxes are looked for every second: %s", unwatched);
}

/* A line for each lent socket whose clients nobody takes. */
static void
print_untaken(const json_t *listeners)
{
	const json_t *listener, *endpoint;
	char text[PRINT_DURATION_SIZE];
	json_int_t ms;
	size_t i, n;

	json_array_foreach(listeners, i, listener) json_array_foreach(
	    json_object_get(listener, "endpoints"), n, endpoint)
	{
		ms = print_integer(
		    json_object_get(endpoint, "queue"), "untaken_ms");
		if (ms < PRINT_UNTAKEN_MS)
			continue;
		print_duration(text, sizeof(text), ms);
		print_sentence(
		    "Clients have waited at %s for %s, and no program takes "
		    "them: see \"brokerctl explain %s\".",
		    print_string(endpoint, "name"), text,
		    print_string(listener, "name"));
	}
}

static void
print_add_holder(struct columns *table, const json_t *holder)
{
	columns_add_values(table, holder, "listener sockets pid program uid");
	print_add_duration(table, holder, "since_ms");
}

/* Says which owners of mailboxes wait.  Returns how many. */
static int
print_owners(const json_t *owners)
{
	const json_t *owner;
	char text[PRINT_DURATION_SIZE];
	const char *reason;
	int count = 0;
	size_t i;

	json_array_foreach(owners, i, owner)
	{
		reason = print_string(owner, "text");
		print_duration(
		    text, sizeof(text), print_integer(owner, "waiting_ms"));
		if (reason != NULL)
			print_sentence("for %s: %s", text, reason);
		count += reason != NULL;
	}
	return count;
}

static void
print_add_unread(struct columns *table, const json_t *process)
{
	columns_add_values(table, process, "unread pid program uid");
}

/* Prints which processes do not read what they were sent, if /proc tells. */
static void
print_unread(const json_t *broker)
{
	json_t *processes = proc_list_unread(broker);

	if (json_array_size(processes) > 0)
		columns_print(
		    "UNREAD PID PROGRAM UID", processes, print_add_unread);
	json_decref(processes);
}

/* Who has lent sockets, if /proc tells. */
static void
print_holders(const json_t *answer)
{
	json_t *holders = proc_list_holders(answer);

	if (json_array_size(holders) > 0)
		columns_print("LENT SOCKETS PID PROGRAM UID SINCE", holders,
		    print_add_holder);
	json_decref(holders);
}

void
print_status(const json_t *answer)
{
	const json_t *listeners = json_object_get(answer, "listeners");
	const json_t *broker = json_object_get(answer, "broker");
	int waiting;

	print_broker(broker);
	waiting = print_owners(json_object_get(answer, "owners"));
	columns_print(
	    "LISTENER STATE SINCE WORKERS ACCEPTED IN-HAND REFUSED QUEUE "
	    "DROPPED ENDPOINT",
	    listeners, print_add_rows);
	print_holders(answer);
	if (waiting > 0)
		print_unread(broker);
	print_untaken(listeners);
}

void
print_explain(const json_t *answer)
{
	print_text(answer);
	print_holders(answer);
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
	int shared = json_is_true(json_object_get(worker, "shared"));

	print_add_names(table, json_object_get(worker, "listeners"));
	columns_add_values(table, worker, "name state");
	print_add_duration(table, worker, "since_ms");
	if (shared)
		columns_add(table, "shared");
	columns_add_values(table, worker, shared ? "uid pid" : "kind uid pid");
	columns_add(table, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
	    print_integer(worker, "unreceipted"),
	    print_integer(worker, "window"));
	print_add_duration(table, worker, "oldest_ms");
	columns_add_values(table, worker, "connections weight label");
}

void
print_workers(const json_t *answer)
{
	columns_print(
	    "LISTENERS WORKER STATE SINCE KIND UID PID IN-HAND OLDEST "
	    "CONNECTIONS WEIGHT LABEL",
	    json_object_get(answer, "workers"), print_add_worker);
}
