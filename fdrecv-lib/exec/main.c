/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: a chain loader for programs that know nothing of a broker.  It
 * takes the sockets that the broker lends, arranges them as the program
 * expects, and becomes that program; or, with --each, starts it once for each
 * connection.  Runs as the program's user; with --user it becomes that user
 * first.
 */
#include "exec/broker.h"
#include "exec/cmdline.h"
#include "exec/convention.h"
#include "exec/each.h"
#include "exec/fd_layout.h"
#include "exec/mailboxes.h"
#include "exec/preload.h"
#include "exec/program.h"
#include "exec/sockets.h"
#include "exec/user.h"

#include <err.h>
#include <fdrecv.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#define MAIN_TAKES 3

static void
main_take_once(struct mailboxes *boxes, struct sockets *sockets,
    const struct cmdline *options)
{
	if (sockets_init(
		sockets, options->listeners, options->listener_count) == -1)
		err(EX_OSERR, "listeners");
	mailboxes_open(boxes, options, FDRECV_NONBLOCK | FDRECV_MANUAL_RECEIPT);
	mailboxes_wait(boxes, sockets, options);
}

/* The broker may have got another configuration while some were here and
 * others were not.  To a new mailbox it sends what it has now. */
static void
main_take(struct mailboxes *boxes, struct sockets *sockets,
    const struct cmdline *options)
{
	int changed;

	main_take_once(boxes, sockets, options);
	for (int i = 1; i < MAIN_TAKES; i++) {
		changed = sockets_changed(sockets);
		if (changed == -1)
			break;
		warnx("listener %s: its sockets are not those that came first: "
		      "taking all of them again",
		    options->listeners[changed]);
		mailboxes_close(boxes);
		sockets_done(sockets);
		main_take_once(boxes, sockets, options);
	}
	/* Those that stay are closed by exec, which removes no file. */
	if (!options->keep_mailbox)
		mailboxes_close(boxes);
}

static void
main_check_preload(const struct cmdline *options)
{
	char path[PROGRAM_PATH_SIZE];
	const char *why;

	if (access(options->library, R_OK) == -1)
		err(EX_OSFILE, "--preload: %s", options->library);
	program_find(options->program[0], path);
	why = preload_cannot(path);
	if (why != NULL)
		errx(PROGRAM_CANNOT_RUN, "%s: nothing can be preloaded: %s",
		    options->program[0], why);
}

int
main(int argc, char **argv)
{
	struct cmdline options;
	struct sockets sockets;
	struct mailboxes boxes;

	if (fd_layout_reserve() == -1)
		err(EX_OSERR, "/dev/null");
	cmdline_read(&options, argc, argv);
	if (options.user != NULL)
		user_become(options.user);
	broker_check(&options);
	if (options.form == convention_of(CONVENTION_PRELOAD))
		main_check_preload(&options);
	if (options.each)
		return each_run(&options);
	main_take(&boxes, &sockets, &options);
	if (options.form == convention_of(CONVENTION_INETD) &&
	    sockets.count != 1)
		errx(EX_CONFIG,
		    "--inetd: the listeners have %zu sockets: expected one",
		    sockets.count);
	if (convention_apply(&options, &sockets) == -1)
		err(EX_OSERR, "--%s", options.form->name);
	sockets_done(&sockets);
	return program_run(options.program);
}
