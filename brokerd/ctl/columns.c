/* SPDX-License-Identifier: ISC */
/*
 * Tables for people.  brokerctl, any uid.  Exits when there is no memory, since
 * it could do nothing else.
 */
#include "ctl/columns.h"

#include "base/text.h"

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define COLUMNS_MAX 12

struct columns {
	char **cells; /* row by row, the first one has the names */
	size_t count;
};

/* Takes text. */
static void
columns_add_cell(struct columns *table, char *text)
{
	char **cells =
	    reallocarray(table->cells, table->count + 1, sizeof(*cells));

	if (text == NULL || cells == NULL)
		err(EX_OSERR, "no memory");
	text_make_printable(text);
	cells[table->count++] = text;
	table->cells = cells;
}

void
columns_add(struct columns *table, const char *format, ...)
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
	columns_add_cell(table, text);
}

void
columns_add_values(
    struct columns *table, const json_t *object, const char *names)
{
	char name[32];
	const json_t *value;
	size_t length;

	for (; *names != '\0'; names += length + (names[length] == ' ')) {
		length = strcspn(names, " ");
		snprintf(name, sizeof(name), "%.*s", (int)length, names);
		value = json_object_get(object, name);
		if (json_is_integer(value))
			columns_add(table, "%" JSON_INTEGER_FORMAT,
			    json_integer_value(value));
		else
			columns_add(table, "%s",
			    json_is_string(value) ? json_string_value(value) :
						    "");
	}
}

/* The width of a column; 0 for the last one, so that no line ends with
 * spaces. */
static int
columns_width(const struct columns *table, size_t columns, size_t column)
{
	size_t width = 0, length;

	for (size_t i = column; i < table->count; i += columns) {
		length = strlen(table->cells[i]);
		width = length > width ? length : width;
	}
	return column + 1 == columns ? 0 : (int)width;
}

void
columns_print(const char *names, const json_t *array,
    void (*add)(struct columns *table, const json_t *element))
{
	struct columns table = {.count = 0};
	size_t columns, i, length;
	int widths[COLUMNS_MAX];
	const json_t *element;

	for (; *names != '\0'; names += length + (names[length] == ' ')) {
		length = strcspn(names, " ");
		columns_add_cell(&table, strndup(names, length));
	}
	columns = table.count;
	json_array_foreach(array, i, element) add(&table, element);
	for (i = 0; i < columns; i++)
		widths[i] = columns_width(&table, columns, i);
	for (i = 0; i < table.count; i++) {
		printf("%-*s%s", widths[i % columns], table.cells[i],
		    (i + 1) % columns == 0 ? "\n" : "  ");
		free(table.cells[i]);
	}
	free(table.cells);
}
