/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/listener.h"
#include "engine/listener/requests.h"
#include "engine/listener/returns.h"
#include "engine/worker/rendezvous.h"

struct event_base;

/* The parts of the engine that requests use.  All pointers are borrowed. */
struct control_context {
	struct event_base *base;
	struct log *log;
	struct stats *stats;
	struct listener_list *listeners;
	struct pool_list *pools;
	const struct rendezvous *rendezvous;
	const struct returns *returns;
	struct owner_quotas *quotas;
	uint64_t epoch;
	struct requests *requests; /* to the monitor */
	/* Of the control socket itself, and of this engine. */
	uint64_t started_ms;
	uint64_t orphan_until_ms; /* 0: the engine has a monitor */
	pid_t keeper;             /* -1: there is none */
	int fd;
	char path[RECORD_PATH_SIZE];
};
