/* SPDX-License-Identifier: ISC */
/*
 * Diagnostics of the config reader, for tests.
 */
#include "told.h"

#include "unit.h"

#include <string.h>

static const char told_warning[] = "warning: ";

static int
told_is(const struct record *record, unsigned int line, const char *text)
{
	const struct record_diagnostic *d = &record->u.diagnostic;
	size_t skip = sizeof(told_warning) - 1;
	uint32_t warning = strncmp(text, told_warning, skip) == 0;

	if (warning)
		text += skip;
	return record->line == line && d->warning == warning &&
	    strncmp(d->text, text, strlen(text)) == 0;
}

void
told_check(const struct output *out, unsigned int line, const char *text,
    const char *what)
{
	const struct record *first = &out->diagnostics[0];

	ck_assert_int_eq(out->failed, 0);
	if (text != NULL)
		ck_assert_msg(out->shown > 0, "%s: nothing was told", what);
	for (size_t i = 0; i < out->shown; i++)
		if (text == NULL || !told_is(first + i, line, text))
			ck_abort_msg("%s: told in line %u: %s", what,
			    first[i].line, first[i].u.diagnostic.text);
	ck_assert_msg(out->shown == (text != NULL), "%s: told %zu times", what,
	    out->shown);
}

void
told_has(const struct output *out, unsigned int line, const char *text,
    const char *what)
{
	for (size_t i = 0; i < out->shown; i++)
		if (told_is(&out->diagnostics[i], line, text))
			return;
	ck_abort_msg("%s: nobody told in line %u: %s", what, line, text);
}
