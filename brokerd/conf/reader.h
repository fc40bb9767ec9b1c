/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"
#include "conf/options.h"

/* Reads the configuration, from descriptor 0 unless there is a listener of the
 * command line, and fills out with endpoints or errors.  0, or -1 with errno
 * when the system failed. */
int reader_run(
    struct output *out, struct tree *tree, const struct options *options);
