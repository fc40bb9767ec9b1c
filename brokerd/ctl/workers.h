/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

/* Prints the answer to brokerctl workers. */
void workers_print(const json_t *answer);
