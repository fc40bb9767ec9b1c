/* SPDX-License-Identifier: ISC */
#ifndef CONF_LISTENER_H
#define CONF_LISTENER_H

#include "conf/mailbox.h"
#include "conf/output.h"
#include "conf/tree.h"

/* Makes the endpoints of a listener, or reports what is wrong with it. */
void listener_read(struct output *out, struct section *section,
    const struct mailbox_context *context, int has_ipv6);

#endif
