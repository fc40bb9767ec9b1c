/* SPDX-License-Identifier: ISC */
/*
 * One sentence of an explanation.  Engine, unprivileged.
 */
#include "engine/control/explain.h"

#include <stdarg.h>

void
explain_add(json_t *lines, const char *format, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	json_array_append_new(lines, report_text(text));
}
