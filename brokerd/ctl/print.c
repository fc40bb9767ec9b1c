/* SPDX-License-Identifier: ISC */
/*
 * Aligned tables for people.  brokerctl, any uid.  It ends when there is no
 * memory: there is nothing else that it could do.
 */
#include "ctl/print.h"

#include "ctl/say.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

/* Takes text. */
static void
print_add_cell(struct print *table, char *text)
{
	char **all;

	if (text == NULL)
		err(EX_OSERR, "no memory");
	say_clean(text);
	table->cells[table->column++] = text;
	if (table->column < table->columns)
		return;
	table->column = 0;
	all = reallocarray(
	    table->all, (table->rows + 1) * table->columns, sizeof(*all));
	if (all == NULL)
		err(EX_OSERR, "no memory");
	table->all = all;
	memcpy(all + table->rows++ * table->columns, table->cells,
	    table->columns * sizeof(*all));
}

static void
print_init(struct print *table, const char *names)
{
	size_t length;

	*table = (struct print){.columns = 1};
	for (const char *at = names; *at != '\0'; at++)
		table->columns += *at == ' ';
	for (; *names != '\0'; names += length + (names[length] == ' ')) {
		length = strcspn(names, " ");
		print_add_cell(table, strndup(names, length));
	}
}

void
print_add(struct print *table, const char *format, ...)
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

void
print_add_json(struct print *table, const json_t *json)
{
	if (json_is_integer(json))
		print_add(
		    table, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
	else if (json_is_string(json))
		print_add(table, "%s", json_string_value(json));
	else
		print_add(table, "-");
}

void
print_time(char *text, size_t size, json_int_t ms)
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

void
print_add_time(struct print *table, const json_t *ms)
{
	char text[32] = "-";

	if (json_is_integer(ms))
		print_time(text, sizeof(text), json_integer_value(ms));
	print_add(table, "%s", text);
}

static int
print_width(const struct print *table, size_t column)
{
	size_t width = 0, length;

	for (size_t row = 0; row < table->rows; row++) {
		length = strlen(table->all[row * table->columns + column]);
		width = length > width ? length : width;
	}
	return (int)width;
}

static void
print_print(struct print *table)
{
	int widths[PRINT_COLUMNS];
	char *cell;

	for (size_t column = 0; column < table->columns; column++)
		widths[column] = print_width(table, column);
	widths[table->columns - 1] = 0; /* no spaces at the end of a line */
	for (size_t i = 0; i < table->rows * table->columns; i++) {
		cell = table->all[i];
		printf("%-*s%s", widths[i % table->columns], cell,
		    (i + 1) % table->columns == 0 ? "\n" : "  ");
		free(cell);
	}
	free(table->all);
	*table = (struct print){.columns = 0};
}

void
print_print_all(const char *names, const json_t *array,
    void (*add)(struct print *table, const json_t *json))
{
	struct print table;
	const json_t *json;
	size_t i;

	print_init(&table, names);
	json_array_foreach(array, i, json) add(&table, json);
	print_print(&table);
}
