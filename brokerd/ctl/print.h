/* SPDX-License-Identifier: ISC */
#ifndef CTL_PRINT_H
#define CTL_PRINT_H

#include <jansson.h>

#include <stddef.h>

#define PRINT_COLUMNS 12

/* Rows of text, printed with their columns one below the other. */
struct print {
	char *cells[PRINT_COLUMNS]; /* of the row that is being filled */
	size_t column;
	size_t columns;
	size_t rows;
	char **all;
};

/* The next cell: text, "-" for an empty one. */
void print_add(struct print *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The next cell: a value of JSON, "-" for null. */
void print_add_json(struct print *table, const json_t *json);

/* The next cell: how long it is, from milliseconds. */
void print_add_time(struct print *table, const json_t *ms);

/* Prints a table whose columns have these names, in capitals and separated by
 * spaces, to which add gives each of an array. */
void print_print_all(const char *names, const json_t *array,
    void (*add)(struct print *table, const json_t *json));

/* How long it is in few letters: "12 s", "3 h"; into text. */
void print_time(char *text, size_t size, json_int_t ms);

#endif
