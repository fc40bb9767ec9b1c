/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LISTENER_LISTENER_CONTEXT_H
#define ENGINE_LISTENER_LISTENER_CONTEXT_H

#include "base/log.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/fd_reserve.h"
#include "engine/handoff/persistent.h"
#include "engine/handoff/refuse.h"
#include "engine/handoff/stats.h"
#include "engine/policy/coalesce.h"

/* What the files of this room use.  All of it is borrowed. */
struct listener_context {
	struct event_base *base;
	struct log *log;
	struct stats *stats;
	struct persistent *persistent;
	struct refusals *refusals;
	struct bounded_close *bounded;
	struct fd_reserve *reserve;
	struct coalesce_load *load;
};

#endif
