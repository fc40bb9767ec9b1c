/* SPDX-License-Identifier: ISC */
/*
 * A worker on libfdrecv with the tests' service and journal.
 */
#include "fdrecv.h"
#include "service.h"
#include "tool.h"

#include <err.h>
#include <signal.h>

static struct fdrecv *volatile box;
static volatile sig_atomic_t ending;

static void
on_sigterm(int number)
{
	(void)number;
	ending = 1;
	fdrecv_drain(box);
}

int
main(int argc, char **argv)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;
	struct service service;
	int at = service_options(&service, argc, argv, "MAILBOX");
	int got;

	signal(SIGTERM, on_sigterm);
	if (service.early)
		options.flags = FDRECV_MANUAL_RECEIPT;
	box = fdrecv_open(argv[at], &options);
	if (box == NULL)
		err(71, "%s", argv[at]);
	if (ending)
		fdrecv_drain(box);
	tool_ready(service.ready);
	while ((got = fdrecv_next(box, &handoff)) == 1) {
		if (service.early)
			fdrecv_receipt(box, &handoff);
		service_answer(&service, handoff.fd);
		fdrecv_done(box, &handoff);
	}
	if (got == -1)
		err(71, "%s", argv[at]);
	signal(SIGTERM, SIG_IGN);
	fdrecv_close(box);
	return 0;
}
