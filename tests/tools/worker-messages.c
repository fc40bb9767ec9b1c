/* SPDX-License-Identifier: ISC */
/*
 * A worker that greets its clients, and counts the messages with receipts that
 * libfdrecv sends to engines.  At SIGTERM it leaves politely, and writes
 * "messages" and their number to its standard error.
 *
 * usage: worker-messages MAILBOX
 */
#include "fdrecv.h"

#include <sys/socket.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define GREETING "hello\n"
#define MAGIC "rfdr"

/* The linker puts the first one between libfdrecv and sendto(2). */
ssize_t __wrap_sendto(int fd, const void *bytes, size_t size, int flags,
    const struct sockaddr *address, socklen_t length);
ssize_t __real_sendto(int fd, const void *bytes, size_t size, int flags,
    const struct sockaddr *address, socklen_t length);

static struct fdrecv *volatile mailbox;
static unsigned int messages;

ssize_t
__wrap_sendto(int fd, const void *bytes, size_t size, int flags,
    const struct sockaddr *address, socklen_t length)
{
	messages +=
	    size > strlen(MAGIC) && memcmp(bytes, MAGIC, strlen(MAGIC)) == 0;
	return __real_sendto(fd, bytes, size, flags, address, length);
}

static void
on_sigterm(int number)
{
	(void)number;
	fdrecv_drain(mailbox);
}

int
main(int argc, char **argv)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;

	if (argc != 2)
		errx(64, "usage: worker-messages MAILBOX");
	mailbox = fdrecv_open(argv[1], NULL);
	if (mailbox == NULL)
		err(71, "%s", argv[1]);
	signal(SIGTERM, on_sigterm);
	while (fdrecv_next(mailbox, &handoff) == 1) {
		send(handoff.fd, GREETING, strlen(GREETING), MSG_NOSIGNAL);
		fdrecv_done(mailbox, &handoff);
	}
	signal(SIGTERM, SIG_IGN);
	fdrecv_close(mailbox);
	fprintf(stderr, "messages %u\n", messages);
	return 0;
}
