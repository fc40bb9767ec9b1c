/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Finds the engine's user: user (-u) if it is not NULL, else the key of that
 * name, else the default.  Fills out->settings and ids->record.engine. */
void settings_read(struct output *out, const struct tree *tree, struct ids *ids,
    const char *user);
