/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <stddef.h>

#define REPAIR_TEXT_SIZE 640 /* with others it has to fit in a log line */
#define REPAIR_KINDS 7
#define REPAIR_OPTIONS_MAX 96
#define REPAIR_VALUE_SIZE 16

/* The options of new sockets of each kind. */
struct repair_models {
	struct repair_value {
		unsigned char bytes[REPAIR_VALUE_SIZE];
		socklen_t size;
		int exists; /* for this kind */
	} values[REPAIR_KINDS][REPAIR_OPTIONS_MAX];
};

/* Makes such sockets, which the sandbox forbids. */
void repair_models_read(struct repair_models *out_models);

enum repair_result {
	REPAIR_RIGHT,   /* nothing was wrong */
	REPAIR_DONE,    /* all that was wrong is right again */
	REPAIR_PARTIAL, /* something cannot be changed back, but it serves */
	REPAIR_DEAD,    /* it was shut down for good: it must be bound anew */
};

/* Puts a bound socket right, which every process that has it may have changed:
 * it listens, with its backlog, and is connected to nobody.  With models, its
 * flags and options are those of the configuration again, and of a new socket;
 * a program that uses the socket may depend on its own ones.  out_text says
 * what was wrong, first of all what stays so. */
enum repair_result repair_socket(const struct record_socket *sock, int lent,
    int fd, const struct repair_models *models,
    char out_text[REPAIR_TEXT_SIZE]);

/* Adds what was wrong to such a text. */
void repair_note(char text[REPAIR_TEXT_SIZE], const char *what);
