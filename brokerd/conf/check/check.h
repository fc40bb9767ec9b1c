/* SPDX-License-Identifier: ISC */
#ifndef CONF_CHECK_CHECK_H
#define CONF_CHECK_CHECK_H

#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"
#include "conf/text/ids.h"

/* Checks all listeners and sockets together. */
void check_all(
    struct output *out, const struct section *first, const struct ids *ids);

#endif
