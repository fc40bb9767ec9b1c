/* SPDX-License-Identifier: ISC */
/*
 * Finds mailboxes in the file system.  Engine, unprivileged.  inotify tells of
 * them; only where the directory cannot be watched, and while a connection
 * waits, is it looked at again and again.
 */
#include "engine/mailbox/finder.h"

#include "base/clock.h"
#include "base/text.h"
#include "engine/handoff/limited_log.h"
#include "engine/policy/errors.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FINDER_SETTLE_TRIES 8   /* with backoff: a quarter of a second */
#define FINDER_SOCKETS_MAX 1024 /* that one scan looks at, ... */
#define FINDER_NAMES_MAX 65536  /* of so many names */
#define FINDER_MANY 64          /* sockets: their scan is followed by a rest, */
#define FINDER_NAMES_MANY 4096  /* or that of so many names, */
#define FINDER_RESTS 9          /* so many times as long */
#define FINDER_SELF_US 10000    /* between scans for the directory's sake */

static void
finder_try_later(struct finder *finder)
{
	if (!timer_is_set(&finder->retry))
		timer_set(&finder->retry,
		    backoff_next_us(&finder->backoff, (uint32_t)random()));
}

static void
finder_on_retry(void *owner)
{
	struct finder *finder = owner;

	if (finder->settling > 0)
		finder->settling--;
	finder_scan(finder);
}

int
finder_init(struct finder *finder, struct core *core, struct watch *watch,
    const char *path, uint32_t owner, const struct finder_user *user)
{
	const char *slash = strrchr(path, '/');

	*finder = (struct finder){.core = core,
	    .watch = watch,
	    .user = *user,
	    .owner = owner,
	    .watch_id = WATCH_NONE};
	if (slash == NULL ||
	    text_copy(finder->path, sizeof(finder->path), path) == -1) {
		errno = EINVAL;
		return -1;
	}
	snprintf(finder->directory, sizeof(finder->directory), "%.*s",
	    (int)(slash - path) + 1, path);
	if (slash[1] != '\0')
		finder->name = finder->path + (slash - path) + 1;
	return timer_init(&finder->retry, core->base, finder_on_retry, finder);
}

void
finder_done(struct finder *finder)
{
	timer_done(&finder->retry);
}

/* The last one is told to whoever asks. */
static void
finder_note(struct finder *finder, const char *name, int error, int looked)
{
	struct finder_fault *last = &finder->last;

	*last = (struct finder_fault){
	    .error = error, .looked = looked, .at_ms = clock_ms()};
	snprintf(last->name, sizeof(last->name), "%s", name);
}

static void
finder_unnote(struct finder *finder, const char *name)
{
	if (strcmp(finder->last.name, name) == 0)
		finder->last.error = 0;
}

static void
finder_forget(struct finder *finder, const char *name)
{
	report_once_forget(&finder->faults, name);
	finder_unnote(finder, name);
}

/* Says a fault, unless it was said; inode is 0 when it was not looked at. */
static void
finder_fault(struct finder *finder, const char *name, int error, ino_t inode)
{
	struct report_once *faults = &finder->faults;

	finder_note(finder, name, error, inode != 0);
	if (!report_once_is_new(faults, name, error, inode, clock_ms()))
		return;
	log_line(&finder->core->log, LOG_ERR,
	    "mailbox %s%s: cannot be used: %s: %s%s", finder->directory, name,
	    strerror(error), finder_cure(error, inode != 0),
	    faults->count == REPORT_ONCE_MAX ?
		"; no more of this directory for a minute" :
		"");
}

/* A mailbox that cannot be connected to, or not yet.  What is in its place for
 * certain is no mailbox, so the one that was there is gone. */
static void
finder_refused(struct finder *finder, const char *name, int error, ino_t inode)
{
	switch (errors_of_send(error)) {
	case ERRORS_SEND_AWAY:
		/* bind(2) makes the name first and the socket reachable
		 * afterwards, so a new one may refuse for a moment. */
	case ERRORS_SEND_RETRY:
		if (finder->settling > 0)
			finder_try_later(finder);
		return;
	case ERRORS_SEND_FULL:
	case ERRORS_SEND_LEAVING:
	case ERRORS_SEND_FAULT:
	case ERRORS_SEND_BUG:
		finder_fault(finder, name, error, inode);
		break;
	}
	if (error == ENOTSOCK || error == EPERM || error == EPROTOTYPE)
		finder->user.on_gone(finder->user.argument, name);
}

static void
finder_consider(struct finder *finder, const char *name)
{
	char path[RECORD_PATH_SIZE + 256];
	struct mailbox mailbox = {.node = -1, .fd = -1};

	snprintf(path, sizeof(path), "%s%s", finder->directory, name);
	if (mailbox_look(path, finder->owner, &mailbox) == -1) {
		if (errno != ENOENT && errno != ENOTDIR) {
			finder_refused(finder, name, errno, 0);
			return;
		}
		finder_unnote(finder, name);
		finder->user.on_gone(finder->user.argument, name);
		return;
	}
	if (finder->user.knows(finder->user.argument, name, &mailbox)) {
		mailbox_close(&mailbox);
		return;
	}
	if (mailbox_connect(&mailbox) == -1) {
		finder_refused(finder, name, errno, mailbox.inode);
		mailbox_close(&mailbox);
		return;
	}
	finder_forget(finder, name);
	if (finder->name != NULL)
		finder->settling = 0;
	backoff_reset(&finder->backoff);
	finder->user.on_found(finder->user.argument, name, &mailbox);
}

/* It may be made later than the broker starts, so that is said only when
 * somebody waits for a worker; once, like other faults. */
static void
finder_no_directory(struct finder *finder, int error)
{
	finder_note(finder, "", error, 0);
	if (!finder->wanted ||
	    !report_once_is_new(&finder->faults, "", error, 0, clock_ms()))
		return;
	log_line(&finder->core->log, LOG_ERR,
	    "mailbox %s: its directory cannot be used: %s: workers need it to "
	    "make their mailboxes in",
	    finder->path, strerror(error));
}

static int
finder_is_candidate(const struct dirent *entry)
{
	return entry->d_name[0] != '.' &&
	    (entry->d_type == DT_SOCK || entry->d_type == DT_UNKNOWN);
}

/* A worker that fills its directory must not keep the other listeners
 * waiting: what is behind the limits is found when it changes.  True if there
 * were many. */
static int
finder_consider_all(struct finder *finder)
{
	DIR *dir = opendir(finder->directory);
	unsigned int names = 0, sockets = 0;
	const struct dirent *entry;

	if (dir == NULL && errno == EACCES)
		finder_fault(finder, "", errno, 0);
	if (dir == NULL)
		return 0;
	finder_forget(finder, "");
	while ((entry = readdir(dir)) != NULL && names++ < FINDER_NAMES_MAX) {
		if (!finder_is_candidate(entry))
			continue;
		if (sockets == FINDER_SOCKETS_MAX)
			break;
		sockets++;
		finder_consider(finder, entry->d_name);
	}
	if (entry != NULL)
		limited_log_line(&finder->scan_limit, &finder->core->log,
		    LOG_WARNING,
		    "mailbox %s: too many files: looked at the first %u "
		    "sockets only",
		    finder->path, sockets);
	closedir(dir);
	return sockets >= FINDER_MANY || names >= FINDER_NAMES_MANY;
}

/* From here on changes are told; what was made just before was not. */
static void
finder_watch(struct finder *finder)
{
	finder->watch_id = watch_add(finder->watch, finder->directory);
	if (finder->watch_id == WATCH_NONE) {
		if (errno == ENOENT || errno == ENOTDIR)
			finder_no_directory(finder, errno);
		return;
	}
	finder_forget(finder, "");
	finder->settling = FINDER_SETTLE_TRIES;
	backoff_reset(&finder->backoff);
}

/* Its owner can make a scan take long, and happen as often as it likes.  True
 * if it has to wait for until_us, or to rest; then it will come. */
static int
finder_must_wait(struct finder *finder, uint64_t until_us)
{
	uint64_t now = clock_us();

	if (until_us < finder->rested_us)
		until_us = finder->rested_us;
	if (now >= until_us)
		return 0;
	if (finder->settling == 0)
		finder->settling = 1; /* wanted or not */
	if (!timer_is_set(&finder->retry))
		timer_set(&finder->retry, until_us - now);
	return 1;
}

void
finder_scan(struct finder *finder)
{
	uint64_t begun_us = clock_us();
	int many = 0;

	if (finder_must_wait(finder, 0))
		return;
	if (finder->watch_id == WATCH_NONE)
		finder_watch(finder);
	if (finder->name != NULL)
		finder_consider(finder, finder->name);
	else
		many = finder_consider_all(finder);
	if (many)
		finder->rested_us =
		    clock_us() + (clock_us() - begun_us) * FINDER_RESTS;
	if (finder->watch_id == WATCH_NONE && finder->wanted)
		finder_try_later(finder);
}

void
finder_on_change(struct finder *finder, int gone, const char *name)
{
	if (gone)
		finder->watch_id = WATCH_NONE;
	if (gone || name[0] == '\0') {
		if (!gone &&
		    finder_must_wait(finder, finder->self_us + FINDER_SELF_US))
			return;
		finder->self_us = clock_us();
		finder_scan(finder); /* its mode may be right by now */
		return;
	}
	if (name[0] == '.' ||
	    (finder->name != NULL && strcmp(name, finder->name) != 0))
		return;
	finder->settling = FINDER_SETTLE_TRIES;
	backoff_reset(&finder->backoff);
	finder_consider(finder, name);
}

void
finder_set_wanted(struct finder *finder, int wanted)
{
	finder->wanted = wanted;
	if (wanted)
		finder_scan(finder);
	else if (finder->settling == 0)
		timer_stop(&finder->retry);
}
