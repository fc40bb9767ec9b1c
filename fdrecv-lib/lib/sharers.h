/* SPDX-License-Identifier: ISC */
#pragma once

/* Other processes that may have descriptors of this one. */

/* Returns how often this process has called fork(2), which gives all of them
 * away, or is about to. */
unsigned int fdrecv_sharers_forks(void);

/* True if this process may have children.  Changes errno. */
int fdrecv_sharers_may_be_children(void);
