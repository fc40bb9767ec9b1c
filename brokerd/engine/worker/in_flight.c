/* SPDX-License-Identifier: ISC */
/*
 * Measures how many descriptors may be sent.  Engine, unprivileged.  What
 * earlier engines have sent stays in mailboxes, and other processes of the same
 * user send too, so only the kernel knows: this sends descriptors to itself
 * until that fails, and receives them again.  It takes microseconds.
 *
 * An engine that was taken over can leave as many in mailboxes that nobody
 * reads as it may send, so each gives up a part of what the monitor allows.
 */
#include "engine/worker/in_flight.h"

#include "base/fd.h"
#include "engine/mailbox/mailbox.h"

#include <sys/resource.h>
#include <sys/socket.h>

#include <stddef.h>

#define IN_FLIGHT_FILES_MIN 16384 /* of fewer, an engine needs all */
#define IN_FLIGHT_PARTS 8         /* of the limit */

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
 * descriptors.  If that fails, the rest is taken back the next time, or it
 * would be in the way for ever. */
static void
in_flight_receive(struct in_flight *flight)
{
	char byte;

	while (flight->unread > 0 && recv(flight->ends[1], &byte, 1, 0) == 1)
		flight->unread--;
}

/* A message passes as long as there is room for one descriptor, so the last one
 * may have been too large.  If no more passed, smaller ones tell. */
uint64_t
in_flight_left(struct in_flight *flight)
{
	static const unsigned int sizes[] = {MAILBOX_FDS_MAX, 16, 1};
	unsigned int sent = 0, size = 0;

	in_flight_receive(flight);
	for (size_t i = 0; sent <= 2 && i < sizeof(sizes) / sizeof(*sizes);
	     i++) {
		size = sizes[i];
		for (sent = 0; sent * size < IN_FLIGHT_MOST &&
		     in_flight_send(flight, size) == 0;
		     sent++)
			;
		flight->unread += sent;
		in_flight_receive(flight);
	}
	if (sent * size >= IN_FLIGHT_MOST)
		return IN_FLIGHT_MOST;
	return size == 1 ? sent : (uint64_t)(sent - 1) * size;
}

void
in_flight_leave_rest(uint64_t files)
{
	struct in_flight flight;
	struct rlimit limit;
	rlim_t most, part;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1 ||
	    limit.rlim_cur < IN_FLIGHT_FILES_MIN ||
	    limit.rlim_cur / 4 < files || in_flight_open(&flight) == -1)
		return;
	most = limit.rlim_cur;
	part = most / IN_FLIGHT_PARTS;
	for (rlim_t parts = IN_FLIGHT_PARTS / 2 + 1; parts-- > 0;) {
		limit.rlim_cur = most - parts * part;
		if (setrlimit(RLIMIT_NOFILE, &limit) == -1 ||
		    in_flight_left(&flight) >=
			IN_FLIGHT_FILES_MIN / IN_FLIGHT_PARTS)
			break;
	}
	in_flight_close(&flight);
	limit.rlim_max = limit.rlim_cur;
	setrlimit(RLIMIT_NOFILE, &limit);
}
