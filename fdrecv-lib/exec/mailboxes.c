/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: its mailboxes, as long as it has them.  It is a worker that
 * takes what is lent and goes.
 */
#include "exec/mailboxes.h"

#include "exec/broker.h"
#include "exec/cmdline.h"
#include "exec/monotonic.h"
#include "exec/sockets.h"

#include "wire/names.h"

#include <err.h>
#include <errno.h>
#include <fdrecv.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define MAILBOXES_QUIET_MS 5000 /* before it says what it waits for */

static int
mailboxes_status(int error)
{
	switch (error) {
	case EACCES:
	case EPERM:
	case EROFS:
		return EX_NOPERM;
	case EADDRINUSE:
	case EEXIST:
	case ELOOP:
	case ENAMETOOLONG:
	case ENOENT:
	case ENOTDIR:
		return EX_CANTCREAT;
	default:
		return EX_OSERR;
	}
}

/* Where the sockets of listener i are to come. */
static void
mailboxes_path(const struct cmdline *options, size_t i, char path[PATH_MAX])
{
	if (options->mailbox != NULL)
		snprintf(path, PATH_MAX, "%s", options->mailbox);
	else
		snprintf(path, PATH_MAX, "%s/" FDRECV_WIRE_MAILBOX_DIR "/%s/",
		    broker_run_dir(options), options->listeners[i]);
}

static struct fdrecv *
mailboxes_open_one(const struct cmdline *options, size_t i, unsigned int flags)
{
	struct fdrecv_options known = FDRECV_OPTIONS_INIT;
	char path[PATH_MAX];
	struct fdrecv *box;

	mailboxes_path(options, i, path);
	known.flags = flags;
	known.run_dir = options->run_dir;
	box = fdrecv_open(path, &known);
	if (box == NULL)
		err(mailboxes_status(errno), "mailbox %s%s", path,
		    errno == EADDRINUSE ? ": another program has it" : "");
	return box;
}

void
mailboxes_open(
    struct mailboxes *boxes, const struct cmdline *options, unsigned int flags)
{
	boxes->count = options->mailbox != NULL ? 1 : options->listener_count;
	boxes->shared = boxes->count < options->listener_count;
	boxes->items = calloc(boxes->count, sizeof(*boxes->items));
	boxes->polls =
	    calloc(boxes->count + MAILBOXES_MORE, sizeof(*boxes->polls));
	if (boxes->items == NULL || boxes->polls == NULL)
		err(EX_OSERR, "mailboxes");
	for (size_t i = 0; i < boxes->count; i++) {
		boxes->items[i] = mailboxes_open_one(options, i, flags);
		boxes->polls[i].events = POLLIN;
		boxes->polls[i].fd = fdrecv_fd(boxes->items[i]);
		if (boxes->polls[i].fd == -1)
			err(EX_OSERR, "epoll_create1");
	}
}

int
mailboxes_only(const struct mailboxes *boxes, size_t i)
{
	return boxes->shared ? -1 : (int)i;
}

/* A connection comes back to others if the broker can tell that it was not
 * touched. */
static void
mailboxes_let_go(const struct fdrecv_handoff *h)
{
	close(h->fd);
	if (h->kind == FDRECV_CONNECTION)
		warnx("listener %s: let go a connection that it sent to this "
		      "mailbox: expected its workers at another one",
		    h->listener[0] == '\0' ? "without a name" : h->listener);
}

static void
mailboxes_read(const struct mailboxes *boxes, size_t i, struct sockets *sockets)
{
	struct fdrecv_handoff h = FDRECV_HANDOFF_INIT;
	int got;

	while ((got = fdrecv_next(boxes->items[i], &h)) == 1)
		switch (sockets_add(sockets, &h, mailboxes_only(boxes, i))) {
		case SOCKETS_TAKEN:
			break;
		case SOCKETS_NOT_OURS:
			mailboxes_let_go(&h);
			break;
		case SOCKETS_CONNECTION:
			errx(EX_CONFIG,
			    "listener %s: hands out connections: expected "
			    "\"handoff = listener\" in the broker's "
			    "configuration, or --each",
			    sockets->names[sockets_find(sockets, h.listener,
				mailboxes_only(boxes, i))]);
		case SOCKETS_NO_MEMORY:
			errx(EX_OSERR, "out of memory");
		}
	if (got == -1)
		err(EX_OSERR, "mailbox");
}

/* The listener that is missing, and why, as far as this end can know. */
static void mailboxes_late(const struct sockets *sockets,
    const struct cmdline *options) __attribute__((noreturn));
static void
mailboxes_late(const struct sockets *sockets, const struct cmdline *options)
{
	const char *run_dir = broker_run_dir(options);
	size_t i = 0;

	while (sockets_has_all(sockets, i))
		i++;
	if ((options->mailbox == NULL || options->run_dir != NULL) &&
	    !broker_is_running(run_dir))
		errx(EX_UNAVAILABLE,
		    "listener %s: the broker has ended: nobody listens at "
		    "%s/" FDRECV_WIRE_RENDEZVOUS "*",
		    options->listeners[i], run_dir);
	if (sockets->expected[i] != 0)
		errx(EX_TEMPFAIL,
		    "listener %s: %zu of its %zu sockets came within %u s",
		    options->listeners[i], sockets->held[i],
		    sockets->expected[i], options->timeout_s);
	errx(EX_TEMPFAIL,
	    "listener %s: nothing came within %u s: expected \"handoff = "
	    "listener\" in the broker's configuration%s; the broker's log may "
	    "say more",
	    options->listeners[i], options->timeout_s,
	    options->mailbox != NULL ? ", and this mailbox and owner" : "");
}

/* Says of each listener once that it is missing, and that it has come. */
static void
mailboxes_tell(const struct sockets *sockets, const struct cmdline *options,
    int is_late, char *missing)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < options->listener_count; i++) {
		int all = sockets_has_all(sockets, i);

		if (all && missing[i])
			warnx("listener %s: its sockets have come",
			    options->listeners[i]);
		if (is_late && !all) {
			mailboxes_path(options, i, path);
			warnx("listener %s: waiting for its sockets at mailbox "
			      "%s: %zu came",
			    options->listeners[i], path, sockets->held[i]);
		}
		missing[i] = (is_late || missing[i]) && !all;
	}
}

/* The earlier of two times, of which 0 is never. */
static long long
mailboxes_earlier(long long a_ms, long long b_ms)
{
	if (a_ms == 0 || b_ms == 0)
		return a_ms + b_ms;
	return a_ms < b_ms ? a_ms : b_ms;
}

/* Waits for a mailbox, or until next_ms, and reads. */
static void
mailboxes_poll(
    struct mailboxes *boxes, struct sockets *sockets, long long next_ms)
{
	long long left_ms = next_ms - monotonic_now_ms();

	if (left_ms < 0)
		left_ms = next_ms == 0 ? -1 : 0;
	if (poll(boxes->polls, boxes->count, (int)left_ms) == -1 &&
	    errno != EINTR)
		err(EX_OSERR, "poll");
	/* One that poll(2) found empty may by now have what was sent first. */
	for (size_t i = 0; i < boxes->count; i++)
		mailboxes_read(boxes, i, sockets);
}

void
mailboxes_wait(struct mailboxes *boxes, struct sockets *sockets,
    const struct cmdline *options)
{
	long long now_ms = monotonic_now_ms(),
		  tell_ms = now_ms + MAILBOXES_QUIET_MS;
	long long end_ms =
	    options->timeout_s == 0 ? 0 : now_ms + options->timeout_s * 1000LL;
	char *missing = calloc(options->listener_count, 1);

	if (missing == NULL)
		err(EX_OSERR, "listeners");
	while (!sockets_complete(sockets)) {
		now_ms = monotonic_now_ms();
		if (end_ms != 0 && now_ms >= end_ms)
			mailboxes_late(sockets, options);
		if (tell_ms != 0 && now_ms >= tell_ms) {
			mailboxes_tell(sockets, options, 1, missing);
			tell_ms = 0;
		}
		mailboxes_poll(
		    boxes, sockets, mailboxes_earlier(end_ms, tell_ms));
		mailboxes_tell(sockets, options, 0, missing);
	}
	free(missing);
}

void
mailboxes_close(struct mailboxes *boxes)
{
	for (size_t i = 0; i < boxes->count; i++)
		fdrecv_close(boxes->items[i]);
	free(boxes->items);
	free(boxes->polls);
	boxes->count = 0;
}
