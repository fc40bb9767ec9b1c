/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/worker.h"

/* What reports say of a worker. */

enum report_worker_state {
	REPORT_WORKER_READY,
	REPORT_WORKER_LATE,
	REPORT_WORKER_BUSY,
	REPORT_WORKER_STUCK,
	REPORT_WORKER_FULL,
	REPORT_WORKER_OVER_SHARE, /* its owner is */
	REPORT_WORKER_PAUSED,
	REPORT_WORKER_DRAINING,
	REPORT_WORKER_LEFT,
	REPORT_WORKER_LEAVING,
	REPORT_WORKER_DEAD,
	REPORT_WORKER_STATES,
};

#define REPORT_LATE_MS 1000

/* Returns how long the oldest hand-off of a worker has had no answer. */
uint64_t report_worker_oldest_ms(const struct worker *worker);

/* The state of a worker, as one of these. */
enum report_worker_state report_worker_state(const struct worker *worker);

/* In one word. */
const char *report_worker_state_name(enum report_worker_state state);
