/* SPDX-License-Identifier: ISC */
/*
 * Proves that a worker which died left a connection as it was: everything that
 * arrived is still there to be read, and nothing was sent.  Then another
 * worker can serve it, and the client does not notice.  Pure.
 */
#include "engine/policy/touched.h"

#include <netinet/tcp.h>

enum touched
touched_judge(const struct touched_facts *facts)
{
	/* The kernel counts a FIN as a received byte. */
	uint64_t fin = facts->state == TCP_CLOSE_WAIT ? 1 : 0;

	if (facts->state == TCP_CLOSE)
		return TOUCHED_CLOSED;
	if (facts->state != TCP_ESTABLISHED && fin == 0)
		return TOUCHED_PERHAPS;
	/* Without a FIN this is shutdown(SHUT_RD). */
	if (fin == 0 && facts->shut)
		return TOUCHED_PERHAPS;
	if (facts->sent != 0)
		return TOUCHED_PERHAPS;
	if (facts->queued != facts->queued_again)
		return TOUCHED_ASK_AGAIN;
	return facts->received - fin == facts->queued ? TOUCHED_NO :
							TOUCHED_PERHAPS;
}
