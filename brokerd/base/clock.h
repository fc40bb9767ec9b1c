/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* CLOCK_MONOTONIC in milliseconds, and in microseconds. */
uint64_t clock_ms(void);
uint64_t clock_us(void);

/* The time until deadline_ms for poll(2); 0 when it has passed. */
int clock_left_ms(uint64_t deadline_ms);
