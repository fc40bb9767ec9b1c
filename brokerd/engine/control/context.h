/* SPDX-License-Identifier: ISC */
#pragma once

#include "channel/message.h"
#include "engine/listener/listener.h"
#include "engine/worker/rendezvous.h"

struct event_base;

/* Who does what the engine cannot do itself: the monitor. */
struct control_callbacks {
	/* Asks the monitor for CHANNEL_RELOAD or CHANNEL_UPGRADE.  0, and
	 * control_on_result() tells how that ended; or -1 with errno. */
	int (*ask)(void *owner, enum channel_type request);
};

/* What the control socket shows and changes.  All pointers are borrowed. */
struct control_context {
	struct event_base *base;
	struct log *log;
	struct stats *stats;
	struct listener_list *listeners;
	struct pool_list *pools;
	const struct rendezvous *rendezvous;
	uint64_t epoch;
	const struct control_callbacks *callbacks;
	void *owner; /* of callbacks */
	/* Of the control socket itself. */
	uint64_t started_ms;
	uint64_t orphan_until_ms; /* 0: the engine has a monitor */
	int fd;
	char path[RECORD_PATH_SIZE];
};
