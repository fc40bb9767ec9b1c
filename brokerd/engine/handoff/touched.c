/* SPDX-License-Identifier: ISC */
/*
 * The proof that a worker which died left a connection as it was.  What has
 * come in is still all there to be read, and nothing has gone out: then
 * another worker can serve it and the client will not know.
 */
#include "engine/handoff/touched.h"

#include <sys/ioctl.h>

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>

/* In linux/tcp.h these are an enum of the kernel only. */
#define TOUCHED_ESTABLISHED 1
#define TOUCHED_CLOSE 7
#define TOUCHED_CLOSE_WAIT 8
#define TOUCHED_TRIES 8

enum touched_verdict
touched_judge(const struct touched *facts)
{
	/* The kernel advances its count of received bytes over a FIN. */
	uint64_t fin = facts->state == TOUCHED_CLOSE_WAIT ? 1 : 0;

	if (facts->state == TOUCHED_CLOSE)
		return TOUCHED_DEAD;
	if (facts->state != TOUCHED_ESTABLISHED && fin == 0)
		return TOUCHED_NOT;
	/* Without a FIN only shutdown(SHUT_RD) looks like the end. */
	if (fin == 0 && facts->shut)
		return TOUCHED_NOT;
	if (facts->sent != 0)
		return TOUCHED_NOT;
	if (facts->queued != facts->queued_again)
		return TOUCHED_AGAIN;
	return facts->received - fin == facts->queued ? TOUCHED_PROVED :
							TOUCHED_NOT;
}

static int
touched_ask(int fd, struct touched *facts)
{
	struct pollfd shut = {.fd = fd, .events = POLLRDHUP};
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	int before, after;

	if (ioctl(fd, SIOCINQ, &before) == -1 || poll(&shut, 1, 0) == -1 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1 ||
	    ioctl(fd, SIOCINQ, &after) == -1)
		return -1;
	*facts = (struct touched){.state = info.tcpi_state,
	    .shut = (shut.revents & POLLRDHUP) != 0,
	    .queued = (uint64_t)before,
	    .queued_again = (uint64_t)after,
	    .received = info.tcpi_bytes_received,
	    .sent = info.tcpi_bytes_sent + info.tcpi_notsent_bytes};
	return 0;
}

enum touched_verdict
touched_look(const struct handoff *handoff)
{
	enum touched_verdict verdict = TOUCHED_AGAIN;
	struct touched facts;

	if (handoff->endpoint->kind != RECORD_TCP)
		return TOUCHED_PROVED;
	for (int i = 0; i < TOUCHED_TRIES && verdict == TOUCHED_AGAIN; i++)
		verdict = touched_ask(handoff->fd, &facts) == -1 ?
		    TOUCHED_NOT :
		    touched_judge(&facts);
	return verdict;
}
