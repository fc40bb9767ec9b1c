/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: its mailboxes.  For the time that it has them it is a worker,
 * which takes lent sockets and leaves.
 */
#include "exec/mailboxes.h"

#include "exec/broker.h"
#include "exec/cmdline.h"
#include "exec/inquiry.h"
#include "exec/monotonic.h"
#include "exec/socket_set.h"

#include "wire/names.h"

#include <err.h>
#include <errno.h>
#include <fdrecv.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define MAILBOXES_REPORT_MS 5000 /* before missing sockets are reported */
#define MAILBOXES_NEVER_MS LLONG_MAX

static int
mailboxes_exit_status(int error)
{
	if (error == EACCES || error == EPERM || error == EROFS)
		return EX_NOPERM;
	if (error == EADDRINUSE || error == EEXIST || error == ELOOP ||
	    error == ENAMETOOLONG || error == ENOENT || error == ENOTDIR)
		return EX_CANTCREAT;
	return EX_OSERR;
}

/* The path of the mailbox for listener i. */
static void
mailboxes_path(const struct cmdline *cmdline, size_t i, char path[PATH_MAX])
{
	if (cmdline->mailbox != NULL)
		snprintf(path, PATH_MAX, "%s", cmdline->mailbox);
	else
		snprintf(path, PATH_MAX, "%s/" FDRECV_WIRE_MAILBOX_DIR "/%s/",
		    broker_run_dir(cmdline), cmdline->listeners[i]);
}

static struct fdrecv *
mailboxes_open_one(const struct cmdline *cmdline, size_t i)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	char path[PATH_MAX];
	struct fdrecv *mailbox;

	mailboxes_path(cmdline, i, path);
	options.flags = FDRECV_NONBLOCK | FDRECV_MANUAL_RECEIPT;
	options.run_dir = cmdline->run_dir;
	mailbox = fdrecv_open(path, &options);
	if (mailbox == NULL)
		err(mailboxes_exit_status(errno), "mailbox %s%s", path,
		    errno == EADDRINUSE ? ": another program has it" : "");
	return mailbox;
}

void
mailboxes_open(struct mailboxes *mailboxes, const struct cmdline *cmdline)
{
	size_t count = cmdline->mailbox != NULL ? 1 : cmdline->listener_count;

	*mailboxes = (struct mailboxes){.cmdline = cmdline, .count = count};
	mailboxes->items = calloc(count, sizeof(*mailboxes->items));
	mailboxes->polls =
	    calloc(count + MAILBOXES_EXTRA_POLLS, sizeof(*mailboxes->polls));
	if (mailboxes->items == NULL || mailboxes->polls == NULL)
		err(EX_OSERR, "mailboxes");
	for (size_t i = 0; i < count; i++) {
		mailboxes->items[i] = mailboxes_open_one(cmdline, i);
		mailboxes->polls[i].events = POLLIN;
		mailboxes->polls[i].fd = fdrecv_fd(mailboxes->items[i]);
		if (mailboxes->polls[i].fd == -1)
			err(EX_OSERR, "epoll_create1");
	}
}

int
mailboxes_find_listener(
    const struct mailboxes *mailboxes, size_t i, const char *name)
{
	const struct cmdline *cmdline = mailboxes->cmdline;

	if (name[0] == '\0')
		return mailboxes->count < cmdline->listener_count ? -1 : (int)i;
	return cmdline_find_listener(cmdline, name);
}

/* Without a receipt: if nobody touched a connection, the broker gives it to
 * another worker. */
static void
mailboxes_drop(const struct fdrecv_handoff *handoff)
{
	close(handoff->fd);
	if (handoff->kind == FDRECV_CONNECTION)
		warnx("listener %s: returned a connection that it sent to "
		      "this mailbox: expected another mailbox for its workers",
		    handoff->listener[0] == '\0' ? "without a name" :
						   handoff->listener);
}

static void
mailboxes_read(
    const struct mailboxes *mailboxes, size_t i, struct socket_set *set)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;
	int listener, result;

	while ((result = fdrecv_next(mailboxes->items[i], &handoff)) == 1) {
		listener =
		    mailboxes_find_listener(mailboxes, i, handoff.listener);
		if (listener != -1 && handoff.kind == FDRECV_CONNECTION)
			inquiry_expect(mailboxes->cmdline,
			    set->listeners[listener].name,
			    FDRECV_WIRE_HANDS_OFF);
		if (listener == -1 ||
		    !socket_set_add(set, &handoff, (size_t)listener))
			mailboxes_drop(&handoff);
	}
	if (result == -1)
		err(EX_OSERR, "mailbox");
}

/* Names a listener whose sockets are missing, and the cause as far as it is
 * known here. */
__attribute__((noreturn)) static void
mailboxes_time_out(
    const struct socket_set_listener *missing, const struct cmdline *cmdline)
{
	const char *run_dir = broker_run_dir(cmdline);

	if ((cmdline->mailbox == NULL || cmdline->run_dir != NULL) &&
	    !broker_is_running(run_dir))
		errx(EX_UNAVAILABLE,
		    "listener %s: the broker has ended: nobody listens at "
		    "%s/" FDRECV_WIRE_RENDEZVOUS "*",
		    missing->name, run_dir);
	if (missing->expected != 0)
		errx(EX_TEMPFAIL,
		    "listener %s: %zu of its %zu sockets arrived within %u s",
		    missing->name, missing->received, missing->expected,
		    cmdline->timeout_s);
	if (cmdline->mailbox == NULL) /* its handoff is right, it was asked */
		errx(EX_TEMPFAIL,
		    "listener %s: nothing arrived within %u s: its "
		    "addresses may not be bound, or its mailbox may be "
		    "elsewhere: see brokerctl explain %s",
		    missing->name, cmdline->timeout_s, missing->name);
	errx(EX_TEMPFAIL,
	    "listener %s: nothing arrived within %u s: expected \"handoff = "
	    "listener\" in the broker's configuration, and this mailbox and "
	    "owner; the broker's log may say more",
	    missing->name, cmdline->timeout_s);
}

static void
mailboxes_report_overdue(struct socket_set *set, const struct cmdline *cmdline)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < set->listener_count; i++) {
		struct socket_set_listener *listener = &set->listeners[i];

		if (socket_set_has_all(listener))
			continue;
		mailboxes_path(cmdline, i, path);
		warnx("listener %s: waiting for its sockets at mailbox "
		      "%s: %zu arrived",
		    listener->name, path, listener->received);
		listener->is_overdue = 1;
	}
}

static void
mailboxes_report_received(struct socket_set *set)
{
	for (size_t i = 0; i < set->listener_count; i++) {
		struct socket_set_listener *listener = &set->listeners[i];

		if (!listener->is_overdue || !socket_set_has_all(listener))
			continue;
		warnx("listener %s: its sockets have arrived", listener->name);
		listener->is_overdue = 0;
	}
}

/* Waits for a mailbox until until_ms, and reads them all: a mailbox that
 * poll(2) found empty may have got the socket that was sent first by now. */
static void
mailboxes_poll(
    struct mailboxes *mailboxes, struct socket_set *set, long long until_ms)
{
	long long left_ms = until_ms - monotonic_now_ms();

	if (until_ms == MAILBOXES_NEVER_MS)
		left_ms = -1;
	else if (left_ms < 0)
		left_ms = 0;
	if (poll(mailboxes->polls, mailboxes->count, (int)left_ms) == -1 &&
	    errno != EINTR)
		err(EX_OSERR, "poll");
	for (size_t i = 0; i < mailboxes->count; i++)
		mailboxes_read(mailboxes, i, set);
}

/* The time of the next thing to do at the latest. */
static long long
mailboxes_next_ms(
    const struct inquiry *inquiry, long long report_ms, long long end_ms)
{
	long long next_ms = inquiry->next_ms;

	next_ms = report_ms < next_ms ? report_ms : next_ms;
	return end_ms < next_ms ? end_ms : next_ms;
}

void
mailboxes_wait(struct mailboxes *mailboxes, struct socket_set *set)
{
	const struct cmdline *cmdline = mailboxes->cmdline;
	long long start_ms = monotonic_now_ms();
	long long report_ms = start_ms + MAILBOXES_REPORT_MS;
	long long end_ms = cmdline->timeout_s == 0 ?
	    MAILBOXES_NEVER_MS :
	    start_ms + cmdline->timeout_s * 1000LL;
	const struct socket_set_listener *missing;
	struct inquiry inquiry;

	inquiry_init(&inquiry, cmdline);
	while ((missing = socket_set_missing(set)) != NULL) {
		if (monotonic_now_ms() >= end_ms)
			mailboxes_time_out(missing, cmdline);
		if (monotonic_now_ms() >= report_ms) {
			mailboxes_report_overdue(set, cmdline);
			report_ms = MAILBOXES_NEVER_MS;
		}
		mailboxes_poll(mailboxes, set,
		    mailboxes_next_ms(&inquiry, report_ms, end_ms));
		missing = socket_set_missing(set);
		if (missing != NULL)
			inquiry_continue(&inquiry, missing->name);
		if (inquiry.is_lost)
			exit(EX_TEMPFAIL);
		mailboxes_report_received(set);
	}
	inquiry_done(&inquiry);
}

size_t
mailboxes_take_turn(struct mailboxes *mailboxes)
{
	for (size_t n = 0; n < mailboxes->count; n++) {
		size_t i = (mailboxes->next + n) % mailboxes->count;

		if (mailboxes->polls[i].fd == -1 ||
		    mailboxes->polls[i].revents == 0)
			continue;
		mailboxes->polls[i].revents = 0;
		mailboxes->next = (i + 1) % mailboxes->count;
		return i;
	}
	return mailboxes->count;
}

void
mailboxes_close(struct mailboxes *mailboxes)
{
	for (size_t i = 0; i < mailboxes->count; i++)
		fdrecv_close(mailboxes->items[i]);
	free(mailboxes->items);
	free(mailboxes->polls);
	mailboxes->count = 0;
}
