/* SPDX-License-Identifier: ISC */
/*
 * Answers of the broker as text for people: lines and tables.  brokerctl, any
 * uid.  Exits when there is no memory, since it could do nothing else.
 */
#include "ctl/print.h"

#include "base/text.h"
#include "ctl/proc.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define PRINT_COLUMNS 12 /* of a table, at most */

/* A table whose columns are aligned when it is printed. */
struct print_table {
	char **cells; /* row by row, the first one has the names */
	size_t count;
};

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

/* Takes text. */
static void
print_add_cell(struct print_table *table, char *text)
{
	char **cells =
	    reallocarray(table->cells, table->count + 1, sizeof(*cells));

	if (text == NULL || cells == NULL)
		err(EX_OSERR, "no memory");
	text_make_printable(text);
	cells[table->count++] = text;
	table->cells = cells;
}

/* Appends a cell: text, "-" for an empty one. */
__attribute__((format(printf, 2, 3))) static void
print_add(struct print_table *table, const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) == -1)
		text = NULL;
	va_end(ap);
	if (text != NULL && text[0] == '\0') {
		free(text);
		text = strdup("-");
	}
	print_add_cell(table, text);
}

/* Appends a cell: the number or string with this name in an object, "-" if
 * there is none. */
static void
print_add_value(
    struct print_table *table, const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (json_is_integer(value))
		print_add(
		    table, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_string(value))
		print_add(table, "%s", json_string_value(value));
	else
		print_add(table, "-");
}

/* The width of a column; 0 for the last one, so that no line ends with
 * spaces. */
static int
print_width(const struct print_table *table, size_t columns, size_t column)
{
	size_t width = 0, length;

	for (size_t i = column; i < table->count; i += columns) {
		length = strlen(table->cells[i]);
		width = length > width ? length : width;
	}
	return column + 1 == columns ? 0 : (int)width;
}

/* Prints a table.  names are those of its columns, separated by spaces; add
 * appends the rows of one element of array. */
static void
print_table(const char *names, const json_t *array,
    void (*add)(struct print_table *table, const json_t *element))
{
	struct print_table table = {.count = 0};
	size_t columns, i, length;
	int widths[PRINT_COLUMNS];
	const json_t *element;

	for (; *names != '\0'; names += length + (names[length] == ' ')) {
		length = strcspn(names, " ");
		print_add_cell(&table, strndup(names, length));
	}
	columns = table.count;
	json_array_foreach(array, i, element) add(&table, element);
	for (i = 0; i < columns; i++)
		widths[i] = print_width(&table, columns, i);
	for (i = 0; i < table.count; i++) {
		printf("%-*s%s", widths[i % columns], table.cells[i],
		    (i + 1) % columns == 0 ? "\n" : "  ");
		free(table.cells[i]);
	}
	free(table.cells);
}

static json_int_t
print_counter(const json_t *listener, const char *name)
{
	return json_integer_value(
	    json_object_get(json_object_get(listener, "counters"), name));
}

static void
print_add_listener(struct print_table *table, const json_t *listener)
{
	const json_t *since = json_object_get(listener, "since_ms");
	char text[32] = "-";

	if (json_is_integer(since))
		print_duration(text, sizeof(text), json_integer_value(since));
	print_add_value(table, listener, "name");
	print_add_value(table, listener, "state");
	print_add(table, "%s", text);
	print_add_value(table, listener, "workers");
	print_add(table, "%" JSON_INTEGER_FORMAT,
	    print_counter(listener, "accepted"));
	print_add(table, "%" JSON_INTEGER_FORMAT,
	    print_counter(listener, "held") +
		print_counter(listener, "unreceipted"));
	print_add(table, "%" JSON_INTEGER_FORMAT,
	    print_counter(listener, "refused_absent") +
		print_counter(listener, "refused_drain") +
		print_counter(listener, "refused_deaths"));
}

/* "3/128": what waits in the kernel, and the limit. */
static void
print_add_queue(struct print_table *table, const json_t *queue)
{
	const char *unit = json_string_value(json_object_get(queue, "unit"));

	if (json_is_integer(json_object_get(queue, "size")))
		print_add(table,
		    "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT "%s",
		    json_integer_value(json_object_get(queue, "size")),
		    json_integer_value(json_object_get(queue, "limit")),
		    unit != NULL && strcmp(unit, "bytes") == 0 ? "B" : "");
	else if (json_is_true(json_object_get(queue, "waits")))
		print_add(table, "some");
	else
		print_add(table, queue == NULL ? "-" : "0");
	print_add_value(table, queue, "dropped");
}

/* A row for each endpoint; the columns of the listener are in the first. */
static void
print_add_rows(struct print_table *table, const json_t *listener)
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
				print_add(table, "\"");
		print_add_queue(table, json_object_get(endpoint, "queue"));
		print_add(table, "%s%s%s",
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
	char up[32], left[32];

	print_duration(up, sizeof(up),
	    json_integer_value(json_object_get(broker, "uptime_ms")));
	print_duration(left, sizeof(left), json_integer_value(orphan));
	printf("brokerd %s, ",
	    json_string_value(json_object_get(broker, "version")));
	if (json_is_integer(orphan))
		printf("which has died: start it again within %s", left);
	else
		printf("pid %" JSON_INTEGER_FORMAT,
		    json_integer_value(json_object_get(broker, "monitor")));
	printf("; engine %" JSON_INTEGER_FORMAT " for %s\n",
	    json_integer_value(json_object_get(broker, "engine")), up);
	if (unwatched != NULL)
		printf(
		    "mailboxes are looked for every second: %s\n", unwatched);
}

static void
print_add_holder(struct print_table *table, const json_t *holder)
{
	const json_t *since = json_object_get(holder, "since_ms");
	char text[32] = "-";

	if (json_is_integer(since))
		print_duration(text, sizeof(text), json_integer_value(since));
	print_add_value(table, holder, "listener");
	print_add_value(table, holder, "sockets");
	print_add_value(table, holder, "pid");
	print_add_value(table, holder, "program");
	print_add_value(table, holder, "uid");
	print_add(table, "%s", text);
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
	print_table(
	    "LISTENER STATE SINCE WORKERS ACCEPTED IN-HAND REFUSED QUEUE "
	    "DROPPED ENDPOINT",
	    json_object_get(answer, "listeners"), print_add_rows);
	if (json_array_size(holders) > 0)
		print_table("LENT SOCKETS PID PROGRAM UID SINCE", holders,
		    print_add_holder);
	json_decref(holders);
}

/* "www,www-alt" */
static void
print_add_names(struct print_table *table, const json_t *listeners)
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
	print_add(table, "%s", text);
}

static void
print_add_worker(struct print_table *table, const json_t *worker)
{
	const json_t *oldest_ms = json_object_get(worker, "oldest_ms");
	char oldest[32] = "";

	if (json_is_integer(oldest_ms))
		print_duration(
		    oldest, sizeof(oldest), json_integer_value(oldest_ms));
	print_add_names(table, json_object_get(worker, "listeners"));
	print_add_value(table, worker, "name");
	print_add_value(table, worker, "state");
	if (json_is_true(json_object_get(worker, "shared")))
		print_add(table, "shared");
	else
		print_add_value(table, worker, "kind");
	print_add_value(table, worker, "uid");
	print_add_value(table, worker, "pid");
	print_add(table, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT,
	    json_integer_value(json_object_get(worker, "unreceipted")),
	    json_integer_value(json_object_get(worker, "window")));
	print_add(table, "%s", oldest);
	print_add_value(table, worker, "connections");
	print_add_value(table, worker, "weight");
	print_add_value(table, worker, "label");
}

void
print_workers(const json_t *answer)
{
	print_table(
	    "LISTENERS WORKER STATE KIND UID PID IN-HAND OLDEST CONNECTIONS "
	    "WEIGHT LABEL",
	    json_object_get(answer, "workers"), print_add_worker);
}
