/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/listener_mailbox.h"
#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"

/* Adds the endpoints of a listener to out, and reports its errors. */
void listener_section_read(struct output *out, struct section *section,
    const struct section_context *context);
