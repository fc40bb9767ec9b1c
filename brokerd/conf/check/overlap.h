/* SPDX-License-Identifier: ISC */
#pragma once

#include "conf/meaning/output.h"

/* True if two sockets cannot be bound side by side: the address of one is
 * or covers that of the other. */
int overlap_is(const struct record_socket *a, const struct record_socket *b);

/* Reports every socket of out that overlaps an earlier one, once, with both
 * places.  Sets out->diagnostics.failed when there is no memory. */
void overlap_check(struct output *out);
