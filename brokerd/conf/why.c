/* SPDX-License-Identifier: ISC */
/*
 * Reasons of failures, in the config reader.  A checking function fails with
 * `return why_set(...)`; who called it knows the line and reports.
 */
#include "conf/why.h"

#include <stdarg.h>
#include <stdio.h>

int
why_set(struct why *why, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(why->text, sizeof(why->text), format, ap);
	va_end(ap);
	return -1;
}

int
why_system(struct why *why)
{
	why->text[0] = '\0';
	return -1;
}
