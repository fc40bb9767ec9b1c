/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

/* The whole of brokerd-engine; manager is the address of the service manager,
 * or NULL.  Returns the status to exit with. */
int engine_main(const char *manager);

#endif
