/* SPDX-License-Identifier: ISC */
/*
 * Names of listeners, in the config reader.
 */
#include "conf/check/listener_names.h"

#include <search.h>
#include <string.h>

static int
listener_names_compare(const void *a, const void *b)
{
	const struct section *sa = a, *sb = b;

	return strcmp(sa->name, sb->name);
}

static void
listener_names_keep(void *section)
{
	(void)section; /* the tree owns nothing */
}

void
listener_names_check(struct diagnostics *out, const struct section *first)
{
	void *tree = NULL;

	for (const struct section *s = first; s != NULL; s = s->next) {
		struct section *const *found;

		if (!record_is_listener_name(s->name))
			diagnostics_error(out, s->at,
			    "listener: " REASON_VALUE
			    " is not a valid name: expected 1 to 63 letters, digits, "
			    "\".\", \"_\" or \"-\", not beginning with \".\"",
			    s->name);
		found = tsearch(s, &tree, listener_names_compare);
		if (found == NULL)
			out->failed = 1;
		else if (*found != s)
			diagnostics_error(out, s->at,
			    "listener: " REASON_VALUE
			    " is already the name of the listener in %s: "
			    "expected another name",
			    s->name,
			    diagnostics_locate(out, (*found)->at, s->at).text);
	}
	tdestroy(tree, listener_names_keep);
}
