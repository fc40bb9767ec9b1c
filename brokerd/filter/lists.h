/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

#define CALL_ARGUMENTS 2
#define LIST_PARTS 4

/* The bits of an argument that are compared, and what they have to be. */
struct call_argument {
	unsigned int number; /* from 1; 0: none */
	uint64_t mask, value;
};

enum call_kind {
	CALL_ALLOWED,
	CALL_RARE,    /* allowed for errors, other machines, other libraries */
	CALL_REFUSED, /* fails with error, and the C library does without */
	CALL_FORBIDDEN, /* kills the process */
};

/* System calls of one purpose; those that an architecture does not have are
 * left out there. */
struct call_group {
	const char *names;
	enum call_kind kind;
	struct call_argument arguments[CALL_ARGUMENTS];
	int error;
};

/* Calls that are in no group are forbidden, or in a list of forbidden ones
 * allowed. */
struct call_list {
	const char *name; /* of struct filter: filter_... */
	int forbids;
	const struct call_group
	    *parts[LIST_PARTS]; /* each ends with no names */
};

extern const struct call_group list_options[];
extern const struct call_list lists[]; /* ends with one that has no name */
