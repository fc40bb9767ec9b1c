/* SPDX-License-Identifier: ISC */
#pragma once

#include <stdint.h>

/* The time that the engine spends on behalf of somebody, for nothing: on
 * messages that tell nothing new, on clients that are refused. */
struct effort {
	uint64_t until_us; /* all of it is a tenth of the time until then */
};

/* Adds what has been spent from begun_us to now_us. */
void effort_add(struct effort *effort, uint64_t begun_us, uint64_t now_us);

/* Returns how long to wait before more is spent; 0: more may be spent now. */
uint64_t effort_rest_us(const struct effort *effort, uint64_t now_us);
