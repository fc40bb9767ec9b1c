/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/policy/report_once.h"

#include <stdint.h>

struct log;
struct reported;

#define MAILBOX_ERROR_NAME_SIZE 256

/* Why a name in a directory cannot be used as a mailbox, or the directory
 * itself cannot. */
struct mailbox_error {
	char name[MAILBOX_ERROR_NAME_SIZE]; /* "": the directory */
	int error;                          /* 0: none, or it is over */
	int found; /* the name was there and could be looked at */
	uint64_t at_ms;
};

/* The errors of one directory.  Each is logged once, and the last one is kept
 * for brokerctl explain. */
struct mailbox_errors {
	struct log *log;
	const char *directory;
	struct reported *earlier; /* by engines before, or NULL */
	struct report_once once;
	struct mailbox_error last;
};

/* Starts without errors; borrows all. */
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
