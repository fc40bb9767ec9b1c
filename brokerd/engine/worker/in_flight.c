/* SPDX-License-Identifier: ISC */
/*
 * Measures how many descriptors may be sent.  Engine, unprivileged.  What
 * earlier engines have sent stays in mailboxes, and other processes of the same
 * user send too, so only the kernel knows: this sends descriptors to itself
 * until that fails, and receives them again.  It takes microseconds.
 */
#include "engine/worker/in_flight.h"

#include "base/fd.h"
#include "engine/mailbox/mailbox.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <stddef.h>

int
in_flight_open(struct in_flight *flight)
{
	struct rlimit limit;

	*flight = (struct in_flight){.ends = {-1, -1}};
	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		return -1;
	flight->limit = limit.rlim_cur;
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0, flight->ends);
}

void
in_flight_close(struct in_flight *flight)
{
	flight->ends[0] = fd_close(flight->ends[0]);
	flight->ends[1] = fd_close(flight->ends[1]);
}

/* Standard input is sent, which is /dev/null.  0, or -1: there was no room
 * left. */
static int
in_flight_send(const struct in_flight *flight, size_t count)
{
	static const int fds[MAILBOX_FDS_MAX];
	char byte = 0;

	return mailbox_send(flight->ends[0], &byte, 1, fds, count, NULL);
}

/* Takes back messages: without a buffer for them the kernel closes the
 * descriptors. */
static void
in_flight_receive(const struct in_flight *flight, unsigned int messages)
{
	char byte;

	while (messages-- > 0 && recv(flight->ends[1], &byte, 1, 0) == 1)
		;
}

/* A message passes as long as there is room for one descriptor, so the last one
 * may have been too large.  If no more passed, smaller ones tell. */
uint64_t
in_flight_left(const struct in_flight *flight)
{
	static const unsigned int sizes[] = {MAILBOX_FDS_MAX, 16, 1};
	unsigned int sent = 0, size = 0;

	for (size_t i = 0; sent <= 2 && i < sizeof(sizes) / sizeof(*sizes);
	     i++) {
		size = sizes[i];
		for (sent = 0; sent * size < IN_FLIGHT_MOST &&
		     in_flight_send(flight, size) == 0;
		     sent++)
			;
		in_flight_receive(flight, sent);
	}
	if (sent * size >= IN_FLIGHT_MOST)
		return IN_FLIGHT_MOST;
	return size == 1 ? sent : (uint64_t)(sent - 1) * size;
}
