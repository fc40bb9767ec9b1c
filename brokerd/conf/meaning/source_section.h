/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"

/* Reads who may come to a listener, and how much of it one source may have:
 * the keys that are more than a number.  Adds the rules to out. */
void source_section_read(struct output *out, const struct section *section,
    struct record_source *source);

/* Reports values that have no effect on any endpoint of the listener, which
 * together meet needs (enum key_need). */
void source_section_check(
    struct output *out, const struct section *section, unsigned int needs);
