/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct log;
struct reported;

#define MAILBOX_ERROR_NAME_SIZE 256
#define MAILBOX_ERRORS_MAX 16   /* are logged of one directory */
#define MAILBOX_ERRORS_MS 60000 /* within this time */

/* Why a name in a directory cannot be used as a mailbox, or the directory
 * itself cannot. */
struct mailbox_error {
	char name[MAILBOX_ERROR_NAME_SIZE]; /* "": the directory */
	int error;                          /* 0: none, or it is over */
	int found; /* the name was there and could be looked at */
	uint64_t at_ms;
};

/* The errors of one directory.  Each is logged once, also by later engines, and
 * the last one is kept for brokerctl explain.  The owner of a directory can
 * make any number of names in it, so the lines in a minute are limited. */
struct mailbox_errors {
	struct log *log;
	const char *directory;
	struct reported *reported;
	unsigned int logged; /* since the time below */
	uint64_t since_ms;
	struct mailbox_error last;
};

/* Starts without errors; borrows all.  Its owner sets reported. */
void mailbox_errors_init(
    struct mailbox_errors *errors, struct log *log, const char *directory);

/* The name cannot be used; inode is 0 if it could not be looked at. */
void mailbox_errors_report(
    struct mailbox_errors *errors, const char *name, int error, ino_t inode);

/* The directory of path cannot be watched.  Workers may make it later, so this
 * is logged only if a connection waits. */
void mailbox_errors_no_directory(
    struct mailbox_errors *errors, const char *path, int error, int waiting);

/* Notes, for those who ask, that a mailbox has been left behind. */
void mailbox_errors_dead(struct mailbox_errors *errors, const char *name);

/* The name is gone: its error is over, but is not logged again if it comes
 * back with the same. */
void mailbox_errors_on_gone(struct mailbox_errors *errors, const char *name);

/* The name can be used: its next error is a new one. */
void mailbox_errors_on_used(struct mailbox_errors *errors, const char *name);

/* Returns what to do about an error. */
const char *mailbox_error_advice(int error, int found);
