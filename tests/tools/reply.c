/* SPDX-License-Identifier: ISC */
/*
 * Classifies replies: complete, short, doubled, for another request, or other
 * text.  Pure, so that unit tests can cover all of it.
 */
#include "reply.h"

#include <stdlib.h>
#include <string.h>

static int
reply_is_name(const char *text)
{
	for (size_t i = 0; i < REQUEST_NAME_LENGTH; i++) {
		int hex = (text[i] >= '0' && text[i] <= '9') ||
		    (text[i] >= 'a' && text[i] <= 'f');

		if (i == REQUEST_NAME_LENGTH / 2 ? text[i] != ' ' : !hex)
			return 0;
	}
	return 1;
}

static enum outcome
reply_id(const char *name, const char *text, size_t length, size_t total)
{
	const char *end = memchr(text, '\n', length);
	size_t same =
	    length < REQUEST_NAME_LENGTH ? length : REQUEST_NAME_LENGTH;

	if (memcmp(text, name, same) != 0)
		return same == REQUEST_NAME_LENGTH && reply_is_name(text) ?
		    OUTCOME_TWICE :
		    OUTCOME_ERROR;
	if (end == NULL)
		return OUTCOME_SHORT;
	if (text[same] != ' ' && text[same] != '\n')
		return OUTCOME_ERROR;
	return total == (size_t)(end - text) + 1 ? OUTCOME_SERVED :
						   OUTCOME_TWICE;
}

/* The length with the head that Content-Length announces, or else total. */
static size_t
reply_http_total(const char *text, const char *body, size_t total)
{
	static const char field[] = "\r\nContent-Length:";
	const char *found = strcasestr(text, field);

	if (found == NULL || found >= body)
		return total;
	return strtoul(found + sizeof(field) - 1, NULL, 10) +
	    (size_t)(body - text);
}

static enum outcome
reply_http(const char *text, size_t length, size_t total)
{
	static const char begin[] = "HTTP/1.x 200 ";
	const char *head = strstr(text, "\r\n\r\n");
	size_t expected;

	for (size_t i = 0; i < sizeof(begin) - 1; i++) {
		if (text[i] == '\0' && i == total)
			return OUTCOME_SHORT;
		if (text[i] != begin[i] && begin[i] != 'x')
			return OUTCOME_ERROR;
	}
	if (head == NULL)
		return length < total ? OUTCOME_ERROR : OUTCOME_SHORT;
	expected = reply_http_total(text, head + 4, total);
	if (total < expected)
		return OUTCOME_SHORT;
	return total == expected ? OUTCOME_SERVED : OUTCOME_TWICE;
}

static enum outcome
reply_none(const char *text, size_t length, size_t total)
{
	size_t half = total / 2;

	if (length == total && total % 2 == 0 && text[half - 1] == '\n' &&
	    memcmp(text, text + half, half) == 0)
		return OUTCOME_TWICE;
	return OUTCOME_SERVED;
}

enum outcome
reply_outcome(const struct reply_question *question, const char *text,
    size_t length, size_t total)
{
	if (total == 0)
		return OUTCOME_CLOSED;
	if (question->policy != NULL &&
	    strncmp(text, question->policy, strlen(question->policy)) == 0)
		return OUTCOME_POLICY;
	switch (question->request) {
	case REQUEST_ID:
		return reply_id(question->name, text, length, total);
	case REQUEST_HTTP:
		return reply_http(text, length, total);
	case REQUEST_NONE:
		return reply_none(text, length, total);
	}
	return OUTCOME_ERROR;
}
