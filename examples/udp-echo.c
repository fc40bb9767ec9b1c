/* SPDX-License-Identifier: ISC */
/*
 * A worker for a datagram listener (handoff = listener): it is lent the bound
 * socket itself, and sends every datagram back to its sender.  The broker
 * keeps the port while this program restarts; datagrams that arrive in the
 * meantime wait in the socket.
 *
 * usage: udp-echo MAILBOX
 */
#include <sys/socket.h>

#include <err.h>
#include <errno.h>
#include <fdrecv.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define SOCKETS_MAX 16

static struct fdrecv *volatile mailbox;
static volatile sig_atomic_t ending;

static void
on_sigterm(int signal)
{
	(void)signal;
	ending = 1;
	fdrecv_drain(mailbox);
}

static void
echo(int fd)
{
	char datagram[65536];
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(fd, datagram, sizeof(datagram), MSG_DONTWAIT,
	    (struct sockaddr *)&from, &length);

	if (n != -1)
		sendto(fd, datagram, (size_t)n, MSG_DONTWAIT,
		    (struct sockaddr *)&from, length);
}

int
main(int argc, char **argv)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	struct fdrecv_handoff h = FDRECV_HANDOFF_INIT;
	struct pollfd fds[1 + SOCKETS_MAX] = {{.events = POLLIN}};
	nfds_t count = 1;

	if (argc != 2)
		errx(64, "usage: udp-echo MAILBOX");
	options.flags = FDRECV_NONBLOCK;
	signal(SIGTERM, on_sigterm);
	mailbox = fdrecv_open(argv[1], &options);
	if (mailbox == NULL)
		err(71, "%s", argv[1]);
	if (ending)
		fdrecv_drain(mailbox);
	fds[0].fd = fdrecv_fd(mailbox);
	while (errno != ESHUTDOWN) {
		if (poll(fds, count, -1) == -1 && errno != EINTR)
			err(71, "poll");
		for (nfds_t i = 1; i < count; i++)
			if (fds[i].revents & POLLIN)
				echo(fds[i].fd);
		errno = 0;
		while (fdrecv_next(mailbox, &h) == 1)
			if (count <= SOCKETS_MAX)
				fds[count++] = (struct pollfd){
				    .fd = h.fd, .events = POLLIN};
			else
				fdrecv_done(mailbox, &h);
	}
	signal(SIGTERM, SIG_IGN);
	fdrecv_close(mailbox);
	return 0;
}
