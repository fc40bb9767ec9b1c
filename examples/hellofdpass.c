/* SPDX-License-Identifier: ISC */
/*
 * The classic worker: greets every client.  It runs as any user, on any port
 * of the broker.  On SIGTERM it leaves politely: it serves the connections
 * that it has, and the broker keeps further ones for the next worker.
 *
 * usage: hellofdpass MAILBOX
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <fdrecv.h>
#include <signal.h>
#include <stdio.h>

static struct fdrecv *volatile mailbox;
static volatile sig_atomic_t ending;

static void
on_sigterm(int signal)
{
	(void)signal;
	ending = 1;
	fdrecv_drain(mailbox);
}

static const char *
peer_name(const struct fdrecv_handoff *h, char name[INET6_ADDRSTRLEN])
{
	const struct sockaddr_in *in = (const void *)&h->peer;
	const struct sockaddr_in6 *in6 = (const void *)&h->peer;

	if (h->peer.ss_family == AF_INET)
		return inet_ntop(
		    AF_INET, &in->sin_addr, name, INET6_ADDRSTRLEN);
	if (h->peer.ss_family == AF_INET6)
		return inet_ntop(
		    AF_INET6, &in6->sin6_addr, name, INET6_ADDRSTRLEN);
	return "local client";
}

static void
serve(const struct fdrecv_handoff *h)
{
	char name[INET6_ADDRSTRLEN], answer[64];
	int length =
	    snprintf(answer, sizeof(answer), "hello, %s\n", peer_name(h, name));

	send(h->fd, answer, (size_t)length, MSG_NOSIGNAL);
}

int
main(int argc, char **argv)
{
	struct fdrecv_handoff h = FDRECV_HANDOFF_INIT;
	int got;

	if (argc != 2)
		errx(64, "usage: hellofdpass MAILBOX");
	signal(SIGTERM, on_sigterm);
	mailbox = fdrecv_open(argv[1], NULL);
	if (mailbox == NULL)
		err(71, "%s", argv[1]);
	if (ending)
		fdrecv_drain(mailbox);
	while ((got = fdrecv_next(mailbox, &h)) == 1) {
		serve(&h);
		fdrecv_done(mailbox, &h);
	}
	if (got == -1)
		err(71, "%s", argv[1]);
	signal(SIGTERM, SIG_IGN);
	fdrecv_close(mailbox);
	return 0;
}
