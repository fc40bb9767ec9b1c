/* SPDX-License-Identifier: ISC */
/*
 * A worker with libfdrecv that offers the service of the tests.
 */
#include "fdrecv.h"
#include "service.h"
#include "tool.h"

#include <err.h>
#include <signal.h>

static struct fdrecv *volatile mailbox;
static volatile sig_atomic_t ending;

static void
on_sigterm(int number)
{
	(void)number;
	ending = 1;
	fdrecv_drain(mailbox);
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
	mailbox = fdrecv_open(argv[at], &options);
	if (mailbox == NULL)
		err(71, "%s", argv[at]);
	if (ending)
		fdrecv_drain(mailbox);
	tool_ready(service.ready);
	while ((got = fdrecv_next(mailbox, &handoff)) == 1) {
		if (service.early)
			fdrecv_receipt(mailbox, &handoff);
		service_answer(&service, handoff.fd);
		fdrecv_done(mailbox, &handoff);
	}
	if (got == -1)
		err(71, "%s", argv[at]);
	signal(SIGTERM, SIG_IGN);
	fdrecv_close(mailbox);
	return 0;
}
