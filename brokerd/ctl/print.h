/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

#include <stdio.h>

/* Prints each line of text, which may be NULL, behind prefix. */
void print_lines(FILE *file, const char *prefix, const char *text);

/* Writes an answer as it is; to a terminal, without control characters. */
void print_as_it_is(char *text, size_t length);

/* Prints the text of an answer: a string, or an array with one for each line;
 * "done" if it has none. */
void print_text(const json_t *answer);

/* The same, then the processes that have the listener's sockets. */
void print_explain(const json_t *answer);

/* Prints the answer to brokerctl status, the broker and its listeners, and that
 * to brokerctl workers. */
void print_status(const json_t *answer);
void print_workers(const json_t *answer);

/* Writes a duration as text: "12 s", "3 h". */
void print_duration(char *text, size_t size, json_int_t ms);
