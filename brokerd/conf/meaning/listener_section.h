/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/listener_mailbox.h"
#include "conf/meaning/output.h"
#include "conf/syntax/tree.h"

/* Makes the endpoints of a listener, or reports what is wrong with it. */
void listener_section_read(struct output *out, struct section *section,
    const struct section_context *context);
