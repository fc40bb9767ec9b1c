/* SPDX-License-Identifier: ISC */
/*
 * Tells which mailboxes cannot be used, and what to do about it.  Engine,
 * unprivileged.
 */
#include "engine/mailbox/mailbox_error.h"

#include "base/clock.h"
#include "base/log.h"
#include "engine/handoff/reported.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

void
mailbox_errors_init(
    struct mailbox_errors *errors, struct log *log, const char *directory)
{
	*errors = (struct mailbox_errors){.log = log, .directory = directory};
}

static void
mailbox_errors_note(
    struct mailbox_errors *errors, const char *name, int error, int found)
{
	struct mailbox_error *last = &errors->last;

	*last = (struct mailbox_error){
	    .error = error, .found = found, .at_ms = clock_ms()};
	snprintf(last->name, sizeof(last->name), "%s", name);
}

static int
mailbox_errors_is_new(
    struct mailbox_errors *errors, const char *name, int error, ino_t inode)
{
	uint64_t now = clock_ms();

	if (now - errors->since_ms >= MAILBOX_ERRORS_MS) {
		errors->since_ms = now;
		errors->logged = 0;
	}
	if (errors->logged == MAILBOX_ERRORS_MAX ||
	    !reported_is_new(
		errors->reported, errors->directory, name, error, inode))
		return 0;
	errors->logged++;
	return 1;
}

void
mailbox_errors_report(
    struct mailbox_errors *errors, const char *name, int error, ino_t inode)
{
	mailbox_errors_note(errors, name, error, inode != 0);
	if (!mailbox_errors_is_new(errors, name, error, inode))
		return;
	log_line(errors->log, LOG_ERR, "mailbox %s%s: cannot be used: %s: %s%s",
	    errors->directory, name, strerror(error),
	    mailbox_error_advice(error, inode != 0),
	    errors->logged == MAILBOX_ERRORS_MAX ?
		"; no more of this directory for a minute" :
		"");
}

void
mailbox_errors_no_directory(
    struct mailbox_errors *errors, const char *path, int error, int waiting)
{
	mailbox_errors_note(errors, "", error, 0);
	if (!waiting || !mailbox_errors_is_new(errors, "", error, 0))
		return;
	log_line(errors->log, LOG_ERR,
	    "mailbox %s: its directory cannot be used: %s: workers need it "
	    "for their mailboxes",
	    path, strerror(error));
}

void
mailbox_errors_dead(struct mailbox_errors *errors, const char *name)
{
	mailbox_errors_note(errors, name, ECONNREFUSED, 0);
}

void
mailbox_errors_on_gone(struct mailbox_errors *errors, const char *name)
{
	if (strcmp(errors->last.name, name) == 0)
		errors->last.error = 0;
}

void
mailbox_errors_on_used(struct mailbox_errors *errors, const char *name)
{
	reported_forget(errors->reported, errors->directory, name);
	mailbox_errors_on_gone(errors, name);
}

const char *
mailbox_error_advice(int error, int found)
{
	switch (error) {
	case ENOTSOCK:
		return "it is not a socket: expected the mailbox of a worker";
	case EPERM:
		return "it does not belong to the listener's owner: start the "
		       "worker as that user, or remove it if no worker has it "
		       "any more; or others can write to its directory or to "
		       "one above, or own one of them, see namei -l";
	case ECONNREFUSED:
		return "no process has this socket: a worker has left it "
		       "behind, and it may be removed";
	case EACCES:
		if (!found)
			return "the engine cannot read its directory, or "
			       "cannot search one above it: expected mode 2750 "
			       "and the engine's group, and mode 0711 above it, "
			       "see namei -l; or its path leads elsewhere "
			       "since the start: reload brokerd";
		return "the engine cannot write to it: the worker needs umask "
		       "0002, in a directory of the engine's group with mode "
		       "2750";
	case ELOOP:
		return "it is a symbolic link: expected the mailbox of a "
		       "worker";
	case EPROTOTYPE:
		return "it is a socket of another type: the worker has to "
		       "bind a SOCK_DGRAM socket";
	default:
		return "it is tried again when it changes";
	}
}
