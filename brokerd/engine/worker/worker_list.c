/* SPDX-License-Identifier: ISC */
/*
 * The names of a pool's workers.  Engine, unprivileged.
 */
#include "engine/worker/worker_list.h"

#include <string.h>

struct worker *
worker_list_find(const struct worker_list *list, const char *name)
{
	struct worker *worker;

	TAILQ_FOREACH (worker, list, entry)
		if (!worker->unlinked && strcmp(worker->name, name) == 0)
			return worker;
	return NULL;
}

const char *
worker_list_name(const struct worker_list *list, unsigned int number)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, list, entry)
		if (!worker->unlinked && number-- == 0)
			return worker->name;
	return NULL;
}
