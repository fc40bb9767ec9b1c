/* SPDX-License-Identifier: ISC */
#ifndef CTL_ASK_H
#define CTL_ASK_H

#include <jansson.h>

/* What the command line says before the command. */
struct ctl {
	const char *socket;
	int json; /* print what the broker answers as it is */
};

/* Asks the broker, see request_path_make() for what, and returns the status to
 * exit with, after having said what is wrong unless it is 0.  *out_json is for
 * json_decref(), or NULL if --json has printed it. */
int ask_get(const struct ctl *ctl, const char *pattern, char *const *words,
    json_t **out_json);

/* The same for an answer that is text, which is printed. */
int ask_text(const struct ctl *ctl, const char *path);

/* Tells the broker to do something, and prints what it says to that. */
int ask_change(const struct ctl *ctl, const char *pattern, char *const *words);

#endif
