/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --each: one process for each connection.  Owns the mailboxes and
 * the children.  The receipt of a connection is sent when its child exists.
 * Connections without a child wait in the launcher, in the mailbox or in the
 * kernel, without a receipt.
 */
#include "exec/per_connection.h"

#include "exec/children.h"
#include "exec/cmdline.h"
#include "exec/inquiry.h"
#include "exec/launcher.h"
#include "exec/lingering.h"
#include "exec/mailboxes.h"
#include "exec/monotonic.h"

#include <sys/signalfd.h>

#include <err.h>
#include <errno.h>
#include <fdrecv.h>
#include <signal.h>
#include <sysexits.h>
#include <unistd.h>

struct per_connection {
	const struct cmdline *cmdline;
	struct mailboxes mailboxes;
	struct children children;
	struct launcher launcher;
	struct lingering lingering;
	struct pollfd signals;
	unsigned int end_signals; /* SIGTERM, SIGINT, and other causes */
	long long kill_ms;        /* when to kill the children, or 0 */
	struct inquiry inquiry;
	int is_paused;
};

static void
per_connection_block_signals(struct per_connection *server)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGTERM);
	/* A shell makes its background jobs ignore SIGINT. */
	if (signal(SIGINT, SIG_IGN) != SIG_IGN) {
		signal(SIGINT, SIG_DFL);
		sigaddset(&mask, SIGINT);
	}
	signal(SIGCHLD, SIG_DFL); /* an ignored SIGCHLD is not sent */
	if (sigprocmask(SIG_BLOCK, &mask, &server->launcher.signal_mask) == -1)
		err(EX_OSERR, "sigprocmask");
	server->signals.events = POLLIN;
	server->signals.fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (server->signals.fd == -1)
		err(EX_OSERR, "signalfd");
}

/* Takes no more connections.  Children may go on. */
static void
per_connection_end(struct per_connection *server)
{
	if (server->end_signals++ == 0 && server->cmdline->stop_timeout_s != 0)
		server->kill_ms = monotonic_now_ms() +
		    1000LL * server->cmdline->stop_timeout_s;
	for (size_t i = 0; i < server->mailboxes.count; i++)
		fdrecv_drain(server->mailboxes.items[i]);
}

static void
per_connection_on_signal(struct per_connection *server)
{
	struct signalfd_siginfo info;

	while (read(server->signals.fd, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			per_connection_end(server);
	children_reap(&server->children);
}

/* Asks the broker to give further connections to others, or to leave them in
 * the kernel. */
static void
per_connection_pause(struct per_connection *server, int pause)
{
	if (pause == server->is_paused)
		return;
	server->is_paused = pause;
	for (size_t i = 0; i < server->mailboxes.count; i++)
		if (pause)
			fdrecv_pause(server->mailboxes.items[i]);
		else
			fdrecv_resume(server->mailboxes.items[i]);
}

/* Receives one hand-off from mailbox i. */
static void
per_connection_receive(struct per_connection *server, size_t i)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;
	struct fdrecv *mailbox = server->mailboxes.items[i];
	const char *name;
	int result, listener;

	/* The receipt for the last child that there is room for would ask for
	 * more, so pause before it is sent. */
	if (server->children.count + 1 == server->children.limit)
		per_connection_pause(server, 1);
	result = fdrecv_next(mailbox, &handoff);
	if (result == -1)
		err(EX_OSERR, "mailbox");
	if (result == 0) {
		if (errno == ESHUTDOWN)
			server->mailboxes.polls[i].fd = -1;
		return;
	}
	listener =
	    mailboxes_find_listener(&server->mailboxes, i, handoff.listener);
	if (listener == -1) {
		warnx("listener %s: closed a connection that it sent to this "
		      "mailbox: expected its name among the arguments",
		    handoff.listener[0] == '\0' ? "without a name" :
						  handoff.listener);
		fdrecv_done(mailbox, &handoff);
		return;
	}
	name = server->cmdline->listeners[listener];
	if (handoff.kind != FDRECV_CONNECTION)
		inquiry_expect(server->cmdline, name, FDRECV_WIRE_LENDS);
	launcher_take(&server->launcher, mailbox, &handoff, name);
}

/* Receives one hand-off from each mailbox that has some. */
static void
per_connection_receive_all(struct per_connection *server)
{
	size_t i;

	while (launcher_has_room(&server->launcher)) {
		i = mailboxes_take_turn(&server->mailboxes);
		if (i == server->mailboxes.count)
			return;
		per_connection_receive(server, i);
	}
}

static int
per_connection_is_over(const struct per_connection *server)
{
	if (server->end_signals > 1)
		return 1;
	for (size_t i = 0; i < server->mailboxes.count; i++)
		if (server->mailboxes.polls[i].fd != -1)
			return 0;
	return server->launcher.count == 0 && server->children.count == 0 &&
	    server->lingering.count == 0;
}

/* --stop-timeout.  Connections without a child go to other workers. */
static void
per_connection_kill(struct per_connection *server)
{
	warnx("killed the children that still ran %u seconds after the signal "
	      "to end: %zu",
	    server->cmdline->stop_timeout_s, children_kill(&server->children));
	server->end_signals++;
}

static int
per_connection_sooner(int one_ms, int other_ms)
{
	return other_ms == -1 || (one_ms != -1 && one_ms < other_ms) ? one_ms :
								       other_ms;
}

/* The time until something is due, in milliseconds, or -1. */
static int
per_connection_left_ms(const struct per_connection *server, int left_ms)
{
	left_ms = per_connection_sooner(
	    left_ms, lingering_left_ms(&server->lingering));
	left_ms =
	    per_connection_sooner(left_ms, children_left_ms(&server->children));
	if (server->kill_ms != 0)
		left_ms = per_connection_sooner(
		    left_ms, monotonic_left_ms(server->kill_ms));
	if (server->end_signals == 0)
		left_ms = per_connection_sooner(
		    left_ms, inquiry_left_ms(&server->inquiry));
	return left_ms;
}

/* Waits for signals, for children of the launcher and, while it has room, for
 * mailboxes. */
static void
per_connection_wait(struct per_connection *server)
{
	struct pollfd *extra =
	    server->mailboxes.polls + server->mailboxes.count;
	size_t count =
	    launcher_has_room(&server->launcher) ? server->mailboxes.count : 0;
	int timeout_ms = per_connection_left_ms(
	    server, launcher_poll(&server->launcher, &extra[2]));

	for (size_t i = 0; i < server->mailboxes.count; i++)
		server->mailboxes.polls[i].revents = 0;
	extra[0] = server->signals;
	extra[1] = (struct pollfd){server->lingering.epoll, POLLIN, 0};
	if (poll(extra - count, count + MAILBOXES_EXTRA_POLLS, timeout_ms) ==
		-1 &&
	    errno != EINTR)
		err(EX_OSERR, "poll");
	if (extra[0].revents != 0)
		per_connection_on_signal(server);
	launcher_continue(&server->launcher);
	children_look(&server->children);
	lingering_continue(&server->lingering);
	if (server->kill_ms != 0 && monotonic_now_ms() >= server->kill_ms)
		per_connection_kill(server);
	if (server->end_signals == 0)
		inquiry_continue(&server->inquiry, NULL);
	if (server->end_signals == 0 && server->inquiry.is_lost)
		per_connection_end(server);
}

int
per_connection_run(const struct cmdline *cmdline)
{
	struct per_connection server = {.cmdline = cmdline,
	    .launcher = {.cmdline = cmdline,
		.mailboxes = &server.mailboxes,
		.children = &server.children}};

	inquiry_init(&server.inquiry, cmdline);
	lingering_init(&server.lingering);
	children_init(&server.children, cmdline->limit, &server.lingering);
	per_connection_block_signals(&server);
	mailboxes_open(&server.mailboxes, cmdline);
	while (!per_connection_is_over(&server)) {
		per_connection_wait(&server);
		per_connection_receive_all(&server);
		/* Not while LAUNCHER_MAX programs are being started: that is
		 * over before another worker would get a connection. */
		per_connection_pause(&server,
		    children_is_full(&server.children) ||
			server.launcher.error != 0);
	}
	mailboxes_close(&server.mailboxes);
	children_done(&server.children);
	lingering_done(&server.lingering);
	close(server.signals.fd);
	inquiry_done(&server.inquiry);
	return server.inquiry.is_lost ? EX_TEMPFAIL : EX_OK;
}
