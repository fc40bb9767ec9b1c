/* SPDX-License-Identifier: ISC */
/*
 * A monitor's request to an engine whose monitor has died.
 */
#include "channel/adoption.h"

#include "base/clock.h"
#include "channel/channel.h"

#include <sys/socket.h>

#include <poll.h>

int
adoption_ask(int engine, uint32_t number, uint64_t deadline_ms, int *out_fd)
{
	struct channel_adopt ask = {CHANNEL_ADOPT_MAGIC, number};
	struct pollfd ready = {.fd = engine, .events = POLLIN};
	char answer;

	*out_fd = -1;
	if (send(engine, &ask, sizeof(ask), MSG_NOSIGNAL) == sizeof(ask) &&
	    poll(&ready, 1, clock_left_ms(deadline_ms)) == 1 &&
	    channel_take(engine, &answer, sizeof(answer), 1, out_fd) == 1)
		return 0;
	return -1;
}
