/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: a chain loader for programs that know nothing of a broker.  It
 * receives the sockets that the broker lends, arranges them as the program
 * expects, and executes the program; or, with --each, it starts the program
 * once for each connection.  Runs as the program's user; with --user it becomes
 * that user first.
 */
#include "exec/broker.h"
#include "exec/cmdline.h"
#include "exec/convention.h"
#include "exec/fd_layout.h"
#include "exec/inquiry.h"
#include "exec/mailboxes.h"
#include "exec/observer.h"
#include "exec/per_connection.h"
#include "exec/preload.h"
#include "exec/program.h"
#include "exec/socket_set.h"
#include "exec/user.h"

#include <err.h>
#include <sysexits.h>
#include <unistd.h>

#define MAIN_TRIES 10
#define MAIN_PAUSE_US 5000 /* each is twice as long: 2.6 seconds */

/* If the broker's configuration changed while sockets arrived, some are from
 * the old one and some from the new one.  New mailboxes get only sockets of the
 * present one, once the engine before it has stopped looking for mailboxes. */
static void
main_receive(struct socket_set *sockets, const struct cmdline *cmdline)
{
	const struct socket_set_listener *changed;
	struct mailboxes mailboxes;

	for (int i = 1;; i++) {
		socket_set_init(
		    sockets, cmdline->listeners, cmdline->listener_count);
		mailboxes_open(&mailboxes, cmdline);
		mailboxes_wait(&mailboxes, sockets);
		changed = socket_set_changed(sockets);
		if (changed == NULL || i == MAIN_TRIES)
			break;
		if (i == 1)
			warnx("listener %s: its sockets have changed: taking "
			      "all of them again",
			    changed->name);
		mailboxes_close(&mailboxes);
		socket_set_done(sockets);
		usleep(MAIN_PAUSE_US << (i - 1));
	}
	/* Otherwise exec closes the mailboxes, and their files remain. */
	if (!cmdline->keep_mailbox)
		mailboxes_close(&mailboxes);
}

int
main(int argc, char **argv)
{
	struct cmdline cmdline;
	char path[PROGRAM_PATH_SIZE];
	struct socket_set sockets;
	struct observer observer;

	if (fd_layout_reserve() == -1)
		err(EX_OSERR, "/dev/null");
	cmdline_read(&cmdline, argc, argv);
	if (cmdline.user != NULL)
		user_become(cmdline.user);
	broker_check(&cmdline);
	inquiry_check_all(&cmdline);
	if (cmdline.convention == convention_of(CONVENTION_PRELOAD))
		preload_check(&cmdline);
	if (cmdline.each) {
		program_find(cmdline.program[0], path);
		return per_connection_run(&cmdline);
	}
	main_receive(&sockets, &cmdline);
	if (cmdline.convention == convention_of(CONVENTION_INETD) &&
	    sockets.count != 1)
		errx(EX_CONFIG,
		    "--inetd: the listeners have %zu sockets: expected one",
		    sockets.count);
	observer_init(&observer, &cmdline, &sockets);
	if (convention_apply(&cmdline, &sockets) == -1)
		err(EX_OSERR, "--%s", cmdline.convention->name);
	observer_start(&observer);
	socket_set_done(&sockets);
	return program_run(cmdline.program);
}
