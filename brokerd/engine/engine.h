/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

/* The whole of brokerd-engine: returns the status to exit with. */
int engine_main(void);

#endif
