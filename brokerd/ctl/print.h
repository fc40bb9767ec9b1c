/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

#include <stddef.h>
#include <stdio.h>

#define PRINT_COLUMNS 12

/* A table whose columns are aligned when it is printed. */
struct print {
	char *cells[PRINT_COLUMNS]; /* of the row that is being filled */
	size_t column;
	size_t columns;
	size_t rows;
	char **all;
};

/* Prints length bytes of text as a line, with '?' for control characters:
 * workers choose names, and a terminal obeys control characters. */
void print_line(FILE *file, const char *text, size_t length);

/* Prints the text of an answer: a string, or an array with one for each line;
 * "done" if it has none. */
void print_text(const json_t *answer);

/* Prints a table.  names are those of its columns, separated by spaces; add
 * appends the rows of one element of array. */
void print_table(const char *names, const json_t *array,
    void (*add)(struct print *table, const json_t *element));

/* Appends a cell: text, "-" for an empty one. */
void print_add(struct print *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends a cell: the number or string with this name in an object, "-" if
 * there is none. */
void print_add_value(
    struct print *table, const json_t *object, const char *name);

/* Writes a duration as text: "12 s", "3 h". */
void print_duration(char *text, size_t size, json_int_t ms);
