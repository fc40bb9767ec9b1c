/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CORE_H
#define ENGINE_CORE_H

#include "base/log.h"
#include "engine/stats.h"

#include <stdint.h>

struct event_base;

/* What every part of the engine may use; main owns the only one. */
struct core {
	struct event_base *base;
	struct log log;
	struct stats stats;
	uint64_t accepted; /* connections, by all listeners */
	uint64_t epoch;    /* random: this engine among its predecessors */
};

#endif
