/* SPDX-License-Identifier: ISC */
/*
 * Output for people: lines and tables.  brokerctl, any uid.  Exits when there
 * is no memory, since it could do nothing else.
 */
#include "ctl/print.h"

#include "base/text.h"

#include <err.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

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
print_text(const json_t *answer)
{
	const json_t *text = json_object_get(answer, "text"), *line;
	size_t i;

	json_array_foreach(text, i, line) print_line(
	    stdout, json_string_value(line), json_string_length(line));
	if (json_is_string(text))
		print_line(
		    stdout, json_string_value(text), json_string_length(text));
	else if (text == NULL)
		puts("done");
}

/* Takes text. */
static void
print_add_cell(struct print *table, char *text)
{
	char **all;

	if (text == NULL)
		err(EX_OSERR, "no memory");
	text_make_printable(text);
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
print_add_value(struct print *table, const json_t *object, const char *name)
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

void
print_table(const char *names, const json_t *array,
    void (*add)(struct print *table, const json_t *element))
{
	int widths[PRINT_COLUMNS];
	struct print table;
	const json_t *element;
	size_t i;

	print_init(&table, names);
	json_array_foreach(array, i, element) add(&table, element);
	for (i = 0; i < table.columns; i++)
		widths[i] = print_width(&table, i);
	widths[table.columns - 1] = 0; /* no spaces at the end of a line */
	for (i = 0; i < table.rows * table.columns; i++) {
		printf("%-*s%s", widths[i % table.columns], table.all[i],
		    (i + 1) % table.columns == 0 ? "\n" : "  ");
		free(table.all[i]);
	}
	free(table.all);
}
