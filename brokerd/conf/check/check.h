/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Checks all listeners and sockets together. */
void check_all(
    struct output *out, const struct section *first, const struct ids *ids);
