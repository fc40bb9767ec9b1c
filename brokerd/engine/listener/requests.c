/* SPDX-License-Identifier: ISC */
/*
 * Requests to the monitor.  Engine, unprivileged.  They carry no data, and the
 * monitor also reloads when a signal tells it to; so each is counted, and the
 * monitor's results say how many of them it had read.
 */
#include "engine/listener/requests.h"

#include <stddef.h>

int
requests_send(struct requests *requests, enum channel_type type)
{
	if (channel_send(requests->channel, type, NULL, -1) == -1)
		return -1;
	requests->count++;
	return 0;
}
