/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CORE_H
#define ENGINE_CORE_H

#include "base/log.h"
#include "engine/handoff/bounded_close.h"
#include "engine/handoff/fd_reserve.h"
#include "engine/handoff/refuse.h"
#include "engine/handoff/stats.h"
#include "engine/policy/coalesce.h"
#include "engine/worker/worker_context.h"

#include <stddef.h>
#include <stdint.h>

struct event_base;
struct rendezvous;

/* What every part of the engine may use; main owns the only one. */
struct core {
	struct event_base *base;
	struct log log;
	struct stats stats;
	struct refusals refusals;
	struct bounded_close bounded;
	struct fd_reserve reserve;
	struct worker_context workers;
	struct rendezvous *rendezvous;
	struct coalesce_load load;
	uint64_t epoch; /* random: this engine among its predecessors */
};

#endif
