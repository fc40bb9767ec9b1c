/* SPDX-License-Identifier: ISC */
/*
 * The fields of a record that only the engine acts on.  The config reader and
 * the engine link this file; the monitor passes these fields on.
 */
#include "record/record.h"

#include "base/text.h"

#include <stddef.h>

static const char *
record_check_endpoint(const struct record_endpoint *endpoint)
{
	if (!text_is_printable(endpoint->mailbox, RECORD_PATH_SIZE) ||
	    endpoint->mailbox[0] != '/')
		return "a mailbox is an absolute path of at most 107 bytes";
	if (endpoint->refuse_length > RECORD_MESSAGE_SIZE)
		return "refuse-message is at most 1,024 bytes";
	/* Unsigned: 0 minus 1 is too large as well. */
	if (endpoint->handoff - 1 >= RECORD_LISTENER)
		return "handoff is connection or listener";
	if (endpoint->handoff == RECORD_CONNECTION &&
	    !record_has_connections(&endpoint->socket))
		return "a datagram socket has no connections to hand off: "
		       "handoff = listener was expected";
	if (endpoint->protocol - 1 >= RECORD_BARE)
		return "protocol is auto, portlisten or bare";
	if (endpoint->refuse - 1 >= RECORD_MESSAGE)
		return "refuse is close, reset or message";
	if (endpoint->window - 1 >= RECORD_WINDOW_MAX)
		return "a window of 1 or more was expected";
	if (endpoint->count == 0 || endpoint->index >= endpoint->count)
		return "the endpoint's number is out of range";
	return record_check_source(&endpoint->source);
}

const char *
record_check(const struct record *record)
{
	const char *wrong = record_check_bind(record);

	if (wrong == NULL && record->type == RECORD_ENDPOINT)
		return record_check_endpoint(&record->u.endpoint);
	return wrong;
}
