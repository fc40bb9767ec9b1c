/* SPDX-License-Identifier: ISC */
#ifndef CTL_WORKERS_H
#define CTL_WORKERS_H

#include <jansson.h>

/* Prints the answer to brokerctl workers. */
void workers_print(const json_t *answer);

#endif
