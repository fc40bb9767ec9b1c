/* SPDX-License-Identifier: ISC */
#ifndef UNIT_ENGINECORE_H
#define UNIT_ENGINECORE_H

#include "engine/core.h"

/* What every part of the engine may use, with counters of its own; it logs to
 * standard error. */
void enginecore_init(struct core *core);
void enginecore_done(struct core *core);

/* Fails the test when its loop is run for three seconds; Check gives a test
 * four. */
void enginecore_limit(struct core *core);

#endif
