/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: a process for each connection.  Owns the mailboxes and
 * the children.  A connection's receipt is sent when its child is there; what
 * no child may be had for as yet waits in hand or in the mailbox, without a
 * receipt, or in the kernel.  Ends when it was told to and the last child has
 * ended.
 */
#include "exec/each.h"

#include "exec/children.h"
#include "exec/cmdline.h"
#include "exec/mailboxes.h"
#include "exec/program.h"
#include "exec/sockets.h"
#include "exec/start.h"

#include <sys/signalfd.h>

#include <err.h>
#include <errno.h>
#include <fdrecv.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

struct each {
	const struct cmdline *options;
	struct sockets sockets; /* only for the listeners' names */
	struct mailboxes boxes;
	struct children children;
	struct start start; /* the connections in hand */
	size_t next;        /* the mailbox whose turn it is first */
	struct pollfd signals;
	int told; /* how often it was told to end */
	int paused;
};

static void
each_block_signals(struct each *each)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	/* A shell lets what runs in the background ignore it. */
	if (signal(SIGINT, SIG_IGN) != SIG_IGN) {
		signal(SIGINT, SIG_DFL);
		sigaddset(&mask, SIGINT);
	}
	signal(SIGCHLD, SIG_DFL); /* ignored, it would not come */
	if (sigprocmask(SIG_BLOCK, &mask, &each->start.before) == -1)
		err(EX_OSERR, "sigprocmask");
	each->signals.events = POLLIN;
	each->signals.fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (each->signals.fd == -1)
		err(EX_OSERR, "signalfd");
}

static void
each_on_signal(struct each *each)
{
	struct signalfd_siginfo info;

	while (read(each->signals.fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		each->told++;
		for (size_t i = 0; i < each->boxes.count; i++)
			fdrecv_drain(each->boxes.items[i]);
	}
	children_reap(&each->children);
}

/* What this process has no room for goes to others, or waits.  Not while
 * START_MAX are being started: that is over before others would have it. */
static void
each_pause(struct each *each, int paused)
{
	if (paused == each->paused)
		return;
	each->paused = paused;
	for (size_t i = 0; i < each->boxes.count; i++)
		if (paused)
			fdrecv_pause(each->boxes.items[i]);
		else
			fdrecv_resume(each->boxes.items[i]);
}

/* Takes one hand-off of a mailbox. */
static void
each_take(struct each *each, size_t i)
{
	struct fdrecv_handoff h = FDRECV_HANDOFF_INIT;
	struct fdrecv *box = each->boxes.items[i];
	int got, listener;

	/* The receipt of the last one that there is room for asks for more, so
	 * this has to be said before. */
	if (each->children.count + 1 == each->children.limit)
		each_pause(each, 1);
	got = fdrecv_next(box, &h);
	if (got == -1)
		err(EX_OSERR, "mailbox");
	if (got == 0) {
		if (errno == ESHUTDOWN)
			each->boxes.polls[i].fd = -1;
		return;
	}
	listener = sockets_find(
	    &each->sockets, h.listener, mailboxes_only(&each->boxes, i));
	if (listener != -1 && h.kind == FDRECV_CONNECTION) {
		start_take(
		    &each->start, box, &h, each->options->listeners[listener]);
		return;
	}
	if (listener != -1)
		errx(EX_CONFIG,
		    "listener %s: lends its socket: --each expects \"handoff = "
		    "connection\" in the broker's configuration",
		    each->options->listeners[listener]);
	warnx("listener %s: closed what it sends to this mailbox: expected it "
	      "among the listeners named",
	    h.listener[0] == '\0' ? "without a name" : h.listener);
	fdrecv_done(box, &h);
}

/* One from each mailbox in turn, so that none has to wait for another. */
static void
each_take_round(struct each *each)
{
	size_t count = each->boxes.count;

	for (size_t n = 0; n < count; n++) {
		size_t i = (each->next + n) % count;

		if (!start_has_room(&each->start)) {
			each->next = i;
			return;
		}
		if (each->boxes.polls[i].fd != -1 &&
		    each->boxes.polls[i].revents != 0)
			each_take(each, i);
	}
}

static int
each_is_over(const struct each *each)
{
	if (each->told > 1)
		return 1;
	for (size_t i = 0; i < each->boxes.count; i++)
		if (each->boxes.polls[i].fd != -1)
			return 0;
	return !start_is_busy(&each->start) && each->children.count == 0;
}

/* The signals, the children under way and, while another one may be started,
 * the mailboxes. */
static void
each_wait(struct each *each)
{
	struct pollfd *more = each->boxes.polls + each->boxes.count;
	size_t count = start_has_room(&each->start) ? each->boxes.count : 0;
	int timeout_ms = start_wait(&each->start, &more[1]);

	for (size_t i = 0; i < each->boxes.count; i++)
		each->boxes.polls[i].revents = 0;
	more[0] = each->signals;
	if (poll(more - count, count + MAILBOXES_MORE, timeout_ms) == -1 &&
	    errno != EINTR)
		err(EX_OSERR, "poll");
	if (more[0].revents != 0)
		each_on_signal(each);
	start_look(&each->start);
}

int
each_run(const struct cmdline *options)
{
	struct each each = {.options = options,
	    .start = {.options = options,
		.boxes = &each.boxes,
		.children = &each.children}};
	char path[PROGRAM_PATH_SIZE];

	program_find(options->program[0], path);
	if (sockets_init(&each.sockets, options->listeners,
		options->listener_count) == -1 ||
	    children_init(&each.children, options->limit) == -1)
		err(EX_OSERR, "children");
	each_block_signals(&each);
	mailboxes_open(
	    &each.boxes, options, FDRECV_NONBLOCK | FDRECV_MANUAL_RECEIPT);
	while (!each_is_over(&each)) {
		each_wait(&each);
		each_take_round(&each);
		each_pause(&each,
		    children_is_full(&each.children) ||
			each.start.failing != 0);
	}
	mailboxes_close(&each.boxes);
	children_done(&each.children);
	sockets_done(&each.sockets);
	close(each.signals.fd);
	return EX_OK;
}
