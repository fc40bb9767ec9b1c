/* SPDX-License-Identifier: ISC */
#ifndef FDRECV_EXEC_MONOTONIC_H
#define FDRECV_EXEC_MONOTONIC_H

/* Milliseconds of CLOCK_MONOTONIC. */
long long monotonic_now_ms(void);

#endif
