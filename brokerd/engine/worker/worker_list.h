/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/worker/worker.h"

/* The names of workers: an unlinked worker has none. */

/* The worker of that name, or NULL. */
struct worker *worker_list_find(
    const struct worker_list *list, const char *name);

/* The name with that number, from 0; NULL: there are not as many. */
const char *worker_list_name(
    const struct worker_list *list, unsigned int number);
