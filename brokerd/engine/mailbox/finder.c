/* SPDX-License-Identifier: ISC */
/*
 * Finds mailboxes in the file system.  Engine, unprivileged.  A watch reports
 * changes.  A directory that cannot be watched is scanned again and again while
 * a connection waits.
 */
#include "engine/mailbox/finder.h"

#include "base/clock.h"
#include "base/text.h"
#include "engine/policy/errors.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FINDER_SETTLE_TRIES 8     /* with backoff: a quarter of a second */
#define FINDER_REST 9             /* times as long as the scan took */
#define FINDER_AGAIN_US 1000      /* after one during which it changed */
#define FINDER_LIMITED_US 1000000 /* between scans that replace a watch */
#define FINDER_NAMES_US \
	100000 /* in which so many changed names are looked at: */
#define FINDER_NAMES_LOOKED 64
#define FINDER_NAMES_HEARD 256  /* and of so many it is told */
#define FINDER_CHANGED_US 10000 /* between scans when it changes itself */

static void
finder_try_later(struct finder *finder)
{
	if (!timer_is_set(&finder->retry))
		timer_set(&finder->retry,
		    backoff_next_us(&finder->backoff, (uint32_t)random()));
}

/* The name or directory is new: its mailbox may not be reachable yet. */
static void
finder_settle(struct finder *finder)
{
	finder->settling = FINDER_SETTLE_TRIES;
	backoff_reset(&finder->backoff);
}

/* The mailbox cannot be used, or not yet.  If something else has its name for
 * certain, then the mailbox that had it is gone. */
static void
finder_on_error(struct finder *finder, const char *name, int error, ino_t inode)
{
	switch (errors_of_send(error)) {
	case ERRORS_SEND_AWAY:
		/* bind(2) makes the name before the socket can be reached, so
		 * a new one may refuse for a moment. */
	case ERRORS_SEND_RETRY:
		if (finder->settling > 0)
			finder_try_later(finder);
		else if (error == ECONNREFUSED)
			mailbox_errors_dead(&finder->errors, name);
		return;
	case ERRORS_SEND_FULL:
	case ERRORS_SEND_LEAVING:
	case ERRORS_SEND_FAULT:
	case ERRORS_SEND_BUG:
		mailbox_errors_report(&finder->errors, name, error, inode);
		break;
	}
	if (error == ENOTSOCK || error == EPERM || error == EPROTOTYPE)
		finder->callbacks->on_gone(finder->owner, name);
}

static void
finder_look(void *owner, const char *name)
{
	struct finder *finder = owner;
	char path[RECORD_PATH_SIZE + MAILBOX_ERROR_NAME_SIZE];
	struct mailbox mailbox = {.node = -1, .fd = -1};

	snprintf(path, sizeof(path), "%s%s", finder->directory, name);
	if (mailbox_look(path, finder->uid, &mailbox) == -1) {
		if (errno != ENOENT && errno != ENOTDIR) {
			finder_on_error(finder, name, errno, 0);
			return;
		}
		mailbox_errors_on_gone(&finder->errors, name);
		finder->callbacks->on_gone(finder->owner, name);
		return;
	}
	if (finder->callbacks->knows(finder->owner, name, &mailbox)) {
		mailbox_close(&mailbox);
		return;
	}
	if (mailbox_connect(&mailbox) == -1) {
		finder_on_error(finder, name, errno, mailbox.inode);
		mailbox_close(&mailbox);
		return;
	}
	mailbox_errors_on_used(&finder->errors, name);
	if (finder->name != NULL)
		finder->settling = 0;
	backoff_reset(&finder->backoff);
	finder->callbacks->on_found(finder->owner, name, &mailbox);
}

/* Without a watch nobody tells that a worker has taken its mailbox away.  True
 * if it is over. */
static int
finder_check_part(struct finder *finder)
{
	const struct finder_callbacks *callbacks = finder->callbacks;
	struct finder_scan *scan = &finder->scan;
	uint64_t until_us = clock_us() + DIRECTORY_SCAN_PART_US;
	char name[MAILBOX_ERROR_NAME_SIZE];
	const char *known;

	for (int i = 0; i < DIRECTORY_SCAN_MANY &&
	     (i < DIRECTORY_SCAN_FEW || clock_us() < until_us);
	     i++) {
		known = callbacks->known(finder->owner, scan->number);
		if (known == NULL || scan->checked++ == DIRECTORY_SCAN_SOCKETS)
			return 1;
		snprintf(name, sizeof(name), "%s", known);
		finder_look(finder, name);
		known = callbacks->known(finder->owner, scan->number);
		scan->number += known != NULL && strcmp(known, name) == 0;
	}
	return 0;
}

/* Changes are reported from here on, but not earlier ones. */
static void
finder_start_watching(struct finder *finder)
{
	if (watcher_start(&finder->watcher, finder->directory) == -1) {
		if (errno == ENOENT || errno == ENOTDIR)
			mailbox_errors_no_directory(&finder->errors,
			    finder->path, errno, finder->waiting);
		return;
	}
	mailbox_errors_on_used(&finder->errors, "");
	finder_settle(finder);
}

/* The directory's owner can make a scan take long, and cause it as often as he
 * likes.  True if it has to wait until until_us, or for the end of a rest; then
 * the timer is set. */
static int
finder_must_wait(struct finder *finder, uint64_t until_us)
{
	uint64_t now = clock_us();

	if (until_us < finder->rest_until_us)
		until_us = finder->rest_until_us;
	if (now >= until_us)
		return 0;
	if (finder->settling == 0)
		finder->settling = 1; /* keeps the timer, see below */
	if (!timer_is_set(&finder->retry))
		timer_set(&finder->retry, until_us - now);
	return 1;
}

static void
finder_end_scan(struct finder *finder)
{
	struct finder_scan *scan = &finder->scan;

	scan->stage = FINDER_IDLE;
	scan->first = 0;
	if (scan->directory.sockets + scan->checked >= DIRECTORY_SCAN_MANY ||
	    scan->directory.names >= DIRECTORY_SCAN_NAMES_MANY)
		finder->rest_until_us =
		    clock_us() + scan->spent_us * FINDER_REST;
	if (scan->again)
		finder_must_wait(finder, clock_us() + FINDER_AGAIN_US);
}

/* True if the scan is over. */
static int
finder_scan_part(struct finder *finder)
{
	struct finder_scan *scan = &finder->scan;

	if (scan->stage == FINDER_CHECKS)
		return finder_check_part(finder);
	if (!directory_scan_part(&scan->directory, finder_look, finder))
		return 0;
	directory_scan_close(&scan->directory);
	scan->stage = FINDER_CHECKS;
	return !finder->watcher.limited;
}

/* A worker that fills its directory must not keep other listeners waiting: a
 * mailbox beyond the limits is found when it changes. */
static void
finder_go_on(void *owner)
{
	struct finder *finder = owner;
	struct finder_scan *scan = &finder->scan;
	uint64_t begun_us = clock_us();
	int is_over;

	do
		is_over = finder_scan_part(finder);
	while (!is_over && scan->first);
	if (is_over && scan->directory.too_many)
		limited_log_line(&finder->scan_limit, finder->log, LOG_WARNING,
		    "mailbox %s: too many files: looked at the first %u "
		    "sockets only",
		    finder->path, scan->directory.sockets);
	scan->spent_us += clock_us() - begun_us;
	if (is_over)
		finder_end_scan(finder);
	else
		timer_set(&scan->next, 0);
}

static void
finder_look_at_all(struct finder *finder)
{
	struct finder_scan *scan = &finder->scan;

	scan->stage = FINDER_READS;
	if (directory_scan_open(&scan->directory, finder->directory) == 0)
		mailbox_errors_on_used(&finder->errors, "");
	else if (errno == EACCES)
		mailbox_errors_report(&finder->errors, "", errno, 0);
	if (scan->directory.dir == NULL)
		scan->stage =
		    finder->watcher.limited ? FINDER_CHECKS : FINDER_IDLE;
	if (scan->stage == FINDER_IDLE)
		return;
	scan->number = scan->checked = 0;
	scan->spent_us = 0;
	scan->again = 0;
	finder_go_on(finder);
}

void
finder_scan(struct finder *finder)
{
	if (finder->scan.stage != FINDER_IDLE) {
		finder->scan.again = 1;
		return;
	}
	if (finder_must_wait(finder, 0))
		return;
	if (finder->watcher.id == -1)
		finder_start_watching(finder);
	if (finder->name != NULL)
		finder_look(finder, finder->name);
	else
		finder_look_at_all(finder);
	if (finder->watcher.id == -1 && finder->waiting)
		finder_try_later(finder);
	else if (finder->watcher.limited && !timer_is_set(&finder->retry))
		timer_set(&finder->retry, FINDER_LIMITED_US);
}

void
finder_set_waiting(struct finder *finder, int waiting)
{
	finder->waiting = waiting;
	if (waiting)
		finder_scan(finder);
	else if (finder->settling == 0 && !finder->watcher.limited)
		timer_stop(&finder->retry);
}

static void
finder_on_retry(void *owner)
{
	struct finder *finder = owner;

	if (finder->settling > 0)
		finder->settling--;
	finder_scan(finder);
}

/* The directory's owner can change names as often as he likes.  True if there
 * were many just now: then a scan finds what they have become, and watches the
 * directory again, since reading all changes takes time too. */
static int
finder_has_many_changes(struct finder *finder, int is_candidate)
{
	uint64_t now = clock_us();

	if (now - finder->names_since_us >= FINDER_NAMES_US) {
		finder->names_since_us = now;
		finder->names = finder->heard = 0;
	}
	finder->heard++;
	finder->names += is_candidate != 0;
	if ((finder->heard <= FINDER_NAMES_HEARD &&
		(!is_candidate || finder->names <= FINDER_NAMES_LOOKED)) ||
	    !finder_must_wait(finder, finder->names_since_us + FINDER_NAMES_US))
		return 0;
	if (finder->heard > FINDER_NAMES_HEARD)
		watcher_stop(&finder->watcher);
	return 1;
}

/* If the directory itself changed, the engine may have access by now. */
static void
finder_on_change(void *owner, const char *name)
{
	struct finder *finder = owner;
	int is_candidate = name[0] != '.' &&
	    (finder->name == NULL || strcmp(name, finder->name) == 0);

	if (name[0] == '\0') {
		if (finder_must_wait(
			finder, finder->last_changed_us + FINDER_CHANGED_US))
			return;
		finder->last_changed_us = clock_us();
		finder_scan(finder);
	} else if (!finder_has_many_changes(finder, is_candidate) &&
	    is_candidate) {
		finder_settle(finder);
		finder_look(finder, name);
	}
}

static void
finder_on_watch_end(void *owner)
{
	struct finder *finder = owner;

	finder->last_changed_us = clock_us();
	finder_scan(finder);
}

static const struct watch_callbacks finder_watch_callbacks = {
    finder_on_change, finder_on_watch_end};

int
finder_init(struct finder *finder, struct watch *watch, struct log *log,
    const char *path, uint32_t uid, const struct finder_callbacks *callbacks,
    void *owner)
{
	const char *slash = strrchr(path, '/');

	*finder = (struct finder){
	    .log = log, .callbacks = callbacks, .owner = owner, .uid = uid};
	if (slash == NULL ||
	    text_copy(finder->path, sizeof(finder->path), path) == -1) {
		errno = EINVAL;
		return -1;
	}
	snprintf(finder->directory, sizeof(finder->directory), "%.*s",
	    (int)(slash - path) + 1, path);
	if (slash[1] != '\0')
		finder->name = finder->path + (slash - path) + 1;
	mailbox_errors_init(&finder->errors, log, finder->directory);
	finder->scan.first = 1;
	if (timer_init(&finder->retry, watch->base, finder_on_retry, finder) ==
		-1 ||
	    timer_init(&finder->scan.next, watch->base, finder_go_on, finder) ==
		-1) {
		timer_done(&finder->retry);
		return -1;
	}
	watcher_init(&finder->watcher, watch, &finder_watch_callbacks, finder);
	return 0;
}

void
finder_done(struct finder *finder)
{
	watcher_done(&finder->watcher);
	timer_done(&finder->retry);
	timer_done(&finder->scan.next);
	directory_scan_close(&finder->scan.directory);
}
