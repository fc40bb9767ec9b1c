/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_CONTROL_WRITER_H
#define ENGINE_CONTROL_WRITER_H

#include "engine/control/call.h"
#include "engine/control/report.h"

/* Answers a call with a report of that type, which is written a step a round
 * of events. */
void writer_start(struct control_call *call, const char *type,
    enum control_step (*step)(struct control_report *report));

/* Its peer is gone. */
void writer_free(struct writer *writer);

#endif
