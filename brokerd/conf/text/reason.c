/* SPDX-License-Identifier: ISC */
/*
 * Reasons of failures, in the config reader.  A checking function fails with
 * `return reason_set(...)`; its caller knows the location and reports it.
 */
#include "conf/text/reason.h"

#include <stdarg.h>
#include <stdio.h>

int
reason_set(struct reason *reason, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(reason->text, sizeof(reason->text), format, ap);
	va_end(ap);
	return reason_is(reason, REASON_WRONG);
}

int
reason_is(struct reason *reason, enum reason_kind kind)
{
	reason->kind = kind;
	return -1;
}

int
reason_system(struct reason *reason)
{
	reason->text[0] = '\0';
	return -1;
}
