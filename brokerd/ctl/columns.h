/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

/* A table whose columns are aligned when it is printed. */
struct columns;

/* Appends a cell: text, "-" for an empty one. */
void columns_add(struct columns *table, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Appends a cell for each of names, which spaces separate: the number or string
 * with this name in an object, "-" if there is none. */
void columns_add_values(
    struct columns *table, const json_t *object, const char *names);

/* Prints a table.  names are those of its columns, separated by spaces; add
 * appends the rows of one element of array. */
void columns_print(const char *names, const json_t *array,
    void (*add)(struct columns *table, const json_t *element));
