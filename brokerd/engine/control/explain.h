/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/control/report.h"

/* The parts of report_explain(), which append sentences to lines. */

/* Explains the sockets of a listener: what waits there, and who has them. */
void explain_sockets(const struct listener *listener, json_t *lines);

/* Explains who may come and who waits in the engine, if that is limited. */
void explain_sources(const struct listener *listener, json_t *lines);

/* Says how many connections were refused for each reason, and what helps. */
void explain_refused(const struct control_context *context,
    const struct listener *listener, json_t *lines);

/* Explains its workers: their states, what they lack, and which do not
 * answer. */
void explain_workers(const struct listener *listener, json_t *lines);
