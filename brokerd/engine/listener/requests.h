/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/channel.h"

/* The requests to the monitor of this engine. */
struct requests {
	int channel;
	uint32_t count; /* sent so far */
};

/* Sends CHANNEL_RELOAD or CHANNEL_UPGRADE, and counts it.  0, or -1 with
 * errno. */
int requests_send(struct requests *requests, enum channel_type type);
