/* SPDX-License-Identifier: ISC */
#pragma once

#include <jansson.h>

/* Prints the answer to brokerctl status: the broker and its listeners. */
void status_print(const json_t *answer);
