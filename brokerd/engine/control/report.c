/* SPDX-License-Identifier: ISC */
/*
 * Helpers of all reports.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include <stdlib.h>
#include <string.h>

int
report_json(struct report *report, json_t *json)
{
	int result = json == NULL ? -1 : json_dumpf(json, report->file, 0);

	json_decref(json);
	return result;
}

int
report_item(struct report *report, json_t *item)
{
	fputs(report->done++ == 0 ? "\n" : ",\n", report->file);
	return report_json(report, item);
}

/* Workers choose the names of their mailboxes, and administrators write the
 * configuration in any encoding. */
json_t *
report_text(const char *bytes)
{
	json_t *json = json_string(bytes);
	char *copy = json == NULL ? strdup(bytes) : NULL;

	for (char *at = copy; at != NULL && *at != '\0'; at++)
		if ((*at & 0x80) != 0)
			*at = '?';
	if (copy != NULL)
		json = json_string(copy);
	free(copy);
	return json;
}
