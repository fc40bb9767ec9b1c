/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <stddef.h>

#define REPAIR_TEXT_SIZE 640 /* with others it has to fit in a log line */
#define REPAIR_OPTIONS_MAX 96
#define REPAIR_VALUE_SIZE 16

/* The options of a new socket of some kind.  All zeros: not asked for yet.
 * Sockets of one kind that are put right one after another can share it. */
struct repair_model {
	uint32_t kind, flags; /* of the record */
	sa_family_t family;
	struct repair_value {
		unsigned char bytes[REPAIR_VALUE_SIZE];
		socklen_t size;
		int exists; /* for this kind */
	} values[REPAIR_OPTIONS_MAX];
};

enum repair_result {
	REPAIR_RIGHT,   /* nothing was wrong */
	REPAIR_DONE,    /* all that was wrong is right again */
	REPAIR_PARTIAL, /* something cannot be changed back, but it serves */
	REPAIR_DEAD,    /* it was shut down for good: it must be bound anew */
};

/* Puts a bound socket right, which every process that has it may have changed:
 * it listens, with its backlog, and is connected to nobody.  With a model, its
 * flags and options are those of the configuration again, and of a new socket;
 * a program that uses the socket may depend on its own ones.  out_text says
 * what was wrong, first of all what stays so. */
enum repair_result repair_socket(const struct record_socket *sock, int lent,
    int fd, struct repair_model *model, char out_text[REPAIR_TEXT_SIZE]);
