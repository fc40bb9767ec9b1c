/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

/* A command of brokerctl is one request to the broker. */
struct command {
	const char *name;
	const char *arguments; /* for the usage: "LISTENER" */
	const char *description;
	const char *method;              /* GET or POST */
	const char *path;                /* with a * for each argument */
	void (*print)(const json_t *ok); /* NULL: the answer is text already */
};

/* The options of the command line. */
struct ask {
	const char *socket;
	int json;    /* print the answer unchanged */
	int no_wait; /* for no result of a command that may take long */
};

/* Runs a command with a word for each of its arguments; prints the answer, or
 * on standard error what is wrong.  Returns the status to exit with. */
int ask_run(
    const struct ask *ask, const struct command *command, char *const *words);

/* True if the broker may not be able to answer soon: for a reload and an
 * upgrade, which concern all of it. */
int ask_is_long(const struct command *command);

/* The path of a request: pattern with a word in place of each *; special
 * characters in it become %XX.  malloc'd; exits when there is no memory. */
char *ask_path(const char *pattern, char *const *words);
