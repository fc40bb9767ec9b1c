/* SPDX-License-Identifier: ISC */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include <jansson.h>

/* Prints the answer to brokerctl status: the broker and its listeners. */
void status_print(const json_t *answer);

#endif
