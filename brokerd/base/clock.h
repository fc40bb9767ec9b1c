/* SPDX-License-Identifier: ISC */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds of CLOCK_MONOTONIC. */
uint64_t clock_ms(void);

/* Microseconds of the same. */
uint64_t clock_us(void);

/* How long it is until deadline_ms, as poll(2) takes it: 0 when it is over. */
int clock_left_ms(uint64_t deadline_ms);

#endif
