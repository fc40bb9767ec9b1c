/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_ROUTES_H
#define ENGINE_CONTROL_ROUTES_H

#include "engine/control/call.h"

struct control_route {
	enum control_right right; /* CONTROL_READ by GET, the other by POST */
	const char *pattern;      /* NULL: the end; * stands for a word */
	void (*handle)(struct control_call *call);
};

/* All that can be asked and told, see doc/CONTROL.md. */
extern const struct control_route control_routes[];

#endif
