/* SPDX-License-Identifier: ISC */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <jansson.h>

#include <stddef.h>

#define TABLE_COLUMNS 12

/* Rows of text, printed with their columns one below the other. */
struct table {
	char *cells[TABLE_COLUMNS]; /* of the row that is being filled */
	size_t column;
	size_t columns;
	size_t rows;
	char **all;
};

/* The next cell: text, "-" for an empty one. */
void table_add(struct table *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next cell: a value of JSON, "-" for null. */
void table_add_json(struct table *table, const json_t *json);

/* The next cell: how long it is, from milliseconds. */
void table_add_time(struct table *table, const json_t *ms);

/* Prints a table whose columns have these names, in capitals and separated by
 * spaces, to which add gives each of an array. */
void table_print_all(const char *names, const json_t *array,
    void (*add)(struct table *table, const json_t *json));

/* How long it is in few letters: "12 s", "3 h"; into text. */
void table_time(char *text, size_t size, json_int_t ms);

#endif
