/* SPDX-License-Identifier: ISC */
#pragma once

/* The whole of brokerd-engine; manager is the address of the service manager,
 * or NULL.  Returns the status to exit with. */
int engine_main(const char *manager);
