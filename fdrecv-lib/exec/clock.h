/* SPDX-License-Identifier: ISC */
#ifndef EXEC_CLOCK_H
#define EXEC_CLOCK_H

/* Milliseconds of CLOCK_MONOTONIC. */
long long clock_now_ms(void);

#endif
