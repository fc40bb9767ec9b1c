/* SPDX-License-Identifier: ISC */
/*
 * Asks the kernel what happened to a TCP connection.  Engine, unprivileged.
 */
#include "engine/handoff/tcp_probe.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>

#define TCP_PROBE_TRIES 8 /* while data arrives */

static int
tcp_probe_ask(int fd, struct touched_facts *out_facts)
{
	struct pollfd shut = {.fd = fd, .events = POLLRDHUP};
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	int before, after;

	if (ioctl(fd, SIOCINQ, &before) == -1 || poll(&shut, 1, 0) == -1 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1 ||
	    ioctl(fd, SIOCINQ, &after) == -1)
		return -1;
	*out_facts = (struct touched_facts){.state = info.tcpi_state,
	    .shut = (shut.revents & POLLRDHUP) != 0,
	    .queued = (uint64_t)before,
	    .queued_again = (uint64_t)after,
	    .received = info.tcpi_bytes_received,
	    .sent = info.tcpi_bytes_sent + info.tcpi_notsent_bytes};
	return 0;
}

enum touched
tcp_probe_touched(const struct handoff *handoff)
{
	struct touched_facts facts;
	enum touched touched;

	if (handoff->endpoint->socket.kind != RECORD_TCP)
		return TOUCHED_NO;
	for (int i = 0; i < TCP_PROBE_TRIES; i++) {
		if (tcp_probe_ask(handoff->fd, &facts) == -1) {
			if (errno == EINTR) /* see bounded_close.h */
				continue;
			break;
		}
		touched = touched_judge(&facts);
		if (touched != TOUCHED_ASK_AGAIN)
			return touched;
	}
	return TOUCHED_PERHAPS;
}
