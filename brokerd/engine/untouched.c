/* SPDX-License-Identifier: ISC */
/*
 * The proof that a worker which died left a connection as it was.  What has
 * come in is still all there to be read, and nothing has gone out: then
 * another worker can serve it and the client will not know.
 */
#include "engine/untouched.h"

#include <sys/ioctl.h>

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>

/* In linux/tcp.h these are an enum of the kernel only. */
#define UNTOUCHED_ESTABLISHED 1
#define UNTOUCHED_CLOSE 7
#define UNTOUCHED_CLOSE_WAIT 8
#define UNTOUCHED_TRIES 8

enum untouched_verdict
untouched_judge(const struct untouched *facts)
{
	/* The kernel advances its count of received bytes over a FIN. */
	uint64_t fin = facts->state == UNTOUCHED_CLOSE_WAIT ? 1 : 0;

	if (facts->state == UNTOUCHED_CLOSE)
		return UNTOUCHED_DEAD;
	if (facts->state != UNTOUCHED_ESTABLISHED && fin == 0)
		return UNTOUCHED_NOT;
	/* Without a FIN only shutdown(SHUT_RD) looks like the end. */
	if (fin == 0 && facts->shut)
		return UNTOUCHED_NOT;
	if (facts->sent != 0)
		return UNTOUCHED_NOT;
	if (facts->queued != facts->queued_again)
		return UNTOUCHED_AGAIN;
	return facts->received - fin == facts->queued ? UNTOUCHED_PROVED :
							UNTOUCHED_NOT;
}

static int
untouched_ask(int fd, struct untouched *facts)
{
	struct pollfd shut = {.fd = fd, .events = POLLRDHUP};
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	int before, after;

	if (ioctl(fd, SIOCINQ, &before) == -1 || poll(&shut, 1, 0) == -1 ||
	    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == -1 ||
	    ioctl(fd, SIOCINQ, &after) == -1)
		return -1;
	*facts = (struct untouched){.state = info.tcpi_state,
	    .shut = (shut.revents & POLLRDHUP) != 0,
	    .queued = (uint64_t)before,
	    .queued_again = (uint64_t)after,
	    .received = info.tcpi_bytes_received,
	    .sent = info.tcpi_bytes_sent + info.tcpi_notsent_bytes};
	return 0;
}

enum untouched_verdict
untouched_look(const struct handoff *handoff)
{
	enum untouched_verdict verdict = UNTOUCHED_AGAIN;
	struct untouched facts;

	if (handoff->endpoint->kind != RECORD_TCP)
		return UNTOUCHED_PROVED;
	for (int i = 0; i < UNTOUCHED_TRIES && verdict == UNTOUCHED_AGAIN; i++)
		verdict = untouched_ask(handoff->fd, &facts) == -1 ?
		    UNTOUCHED_NOT :
		    untouched_judge(&facts);
	return verdict;
}
