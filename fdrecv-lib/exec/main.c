/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: a chain loader for programs that know nothing of a broker.  It
 * takes the sockets that the broker lends, arranges them as the program
 * expects, and becomes that program; or, with --each, starts it once for each
 * connection.  Runs as the program's user; with --user it becomes that user
 * first.
 */
#include "exec/boxes.h"
#include "exec/broker.h"
#include "exec/each.h"
#include "exec/form.h"
#include "exec/options.h"
#include "exec/place.h"
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
main_take_once(
    struct boxes *boxes, struct sockets *sockets, const struct options *options)
{
	if (sockets_init(
		sockets, options->listeners, options->listener_count) == -1)
		err(EX_OSERR, "listeners");
	boxes_open(boxes, options, FDRECV_NONBLOCK | FDRECV_MANUAL_RECEIPT);
	boxes_wait(boxes, sockets, options);
}

/* The broker may have got another configuration while some were here and
 * others were not.  To a new mailbox it sends what it has now. */
static void
main_take(
    struct boxes *boxes, struct sockets *sockets, const struct options *options)
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
		boxes_close(boxes);
		sockets_done(sockets);
		main_take_once(boxes, sockets, options);
	}
	/* Those that stay are closed by exec, which removes no file. */
	if (!options->keep_mailbox)
		boxes_close(boxes);
}

static void
main_check_preload(const struct options *options)
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
	struct options options;
	struct sockets sockets;
	struct boxes boxes;

	if (place_reserve() == -1)
		err(EX_OSERR, "/dev/null");
	options_read(&options, argc, argv);
	if (options.user != NULL)
		user_become(options.user);
	broker_check(&options);
	if (options.form == form_of(FORM_PRELOAD))
		main_check_preload(&options);
	if (options.each)
		return each_run(&options);
	main_take(&boxes, &sockets, &options);
	if (options.form == form_of(FORM_INETD) && sockets.count != 1)
		errx(EX_CONFIG,
		    "--inetd: the listeners have %zu sockets: expected one",
		    sockets.count);
	if (form_apply(&options, &sockets) == -1)
		err(EX_OSERR, "--%s", options.form->name);
	sockets_done(&sockets);
	return program_run(options.program);
}
