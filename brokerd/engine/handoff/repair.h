/* SPDX-License-Identifier: ISC */
#pragma once

#include "record/record.h"

#include <stddef.h>

#define REPAIR_TEXT_SIZE 256

enum repair_result {
	REPAIR_RIGHT,   /* nothing was wrong */
	REPAIR_DONE,    /* all that was wrong is right again */
	REPAIR_PARTIAL, /* something cannot be changed back, but it serves */
	REPAIR_DEAD,    /* it was shut down for good: it must be bound anew */
};

/* Puts a bound socket right, which every process that has it may have changed:
 * it listens, with its backlog, and is connected to nobody.  With all, its
 * flags and options are those of the configuration again, and of a new socket;
 * a program that uses the socket may depend on its own ones.  out_text says
 * what was wrong. */
enum repair_result repair_socket(const struct record_socket *sock, int lent,
    int fd, int all, char out_text[REPAIR_TEXT_SIZE]);
