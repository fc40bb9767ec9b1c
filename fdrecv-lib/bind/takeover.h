/* SPDX-License-Identifier: ISC */
#pragma once

/* Sets each option that the program has set on socket from on socket to as
 * well, and makes O_NONBLOCK the same.  Borrows both, which are of the same
 * kind.  Options that the kernel does not permit to set remain as they are. */
void takeover_options(int from, int to);
