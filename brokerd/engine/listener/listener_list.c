/* SPDX-License-Identifier: ISC */
/*
 * All listeners of an engine, by name.  Engine, unprivileged.
 */
#include "engine/listener/listener_list.h"

#include <string.h>

struct listener *
listener_list_find(const struct listener_list *list, const char *name)
{
	struct listener *listener;

	TAILQ_FOREACH (listener, list, entry)
		if (listener->record != NULL &&
		    strcmp(listener->record->listener, name) == 0)
			return listener;
	return NULL;
}
