/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_ROUTES_H
#define ENGINE_CONTROL_ROUTES_H

#include "engine/control/peer.h"
#include "engine/control/report.h"

#define ROUTES_WORDS 2

/* A request whose path matches a route. */
struct call {
	const struct control_context *context;
	struct peer *peer;
	char *words[ROUTES_WORDS]; /* one for each * of the pattern */
};

struct route {
	enum peer_right right; /* PEER_READ by GET, PEER_CHANGE by POST */
	const char *pattern;   /* NULL: the end; * stands for any word */
	void (*handle)(struct call *call, const struct route *route);
	/* For handle, as it needs them. */
	int argument;
	const char *type;
	enum report_step (*step)(struct report *report);
};

/* Everything that can be asked and changed, see doc/CONTROL.md. */
extern const struct route routes[];

#endif
