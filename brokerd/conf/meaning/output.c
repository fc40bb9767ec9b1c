/* SPDX-License-Identifier: ISC */
/*
 * The output of the config reader, all that the monitor reads of it.  Every
 * record is zeroed before it is filled, so that padding and unused bytes of
 * arrays contain no other memory of this process.
 */
#include "conf/meaning/output.h"

#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
output_init(struct output *out)
{
	memset(out, 0, sizeof(*out));
}

void
output_done(struct output *out)
{
	diagnostics_done(&out->diagnostics);
	free(out->sockets);
	free(out->at);
	free(out->rules);
	out->rules = NULL;
	out->rules_count = 0;
	out->sockets = NULL;
	out->at = NULL;
	out->count = out->room = 0;
}

/* Makes room for one socket more.  0, or -1 with errno. */
static int
output_grow(struct output *out)
{
	size_t room = out->room == 0 ? 16 : out->room * 2;
	struct location *at;
	struct record *sockets;

	if (out->count < out->room)
		return 0;
	sockets = reallocarray(out->sockets, room, sizeof(*sockets));
	if (sockets == NULL)
		return -1;
	out->sockets = sockets;
	at = reallocarray(out->at, room, sizeof(*at));
	if (at == NULL)
		return -1;
	out->at = at;
	out->room = room;
	return 0;
}

struct record *
output_add(struct output *out, enum record_type type, struct location at)
{
	struct record *record;

	if (type == RECORD_ENDPOINT &&
	    out->count + out->rules_count >= OUTPUT_ENDPOINTS)
		return NULL;
	if (output_grow(out) == -1) {
		out->diagnostics.failed = 1;
		return NULL;
	}
	out->at[out->count] = at;
	record = &out->sockets[out->count++];
	memset(record, 0, sizeof(*record));
	record->type = type;
	return record;
}

int
output_add_rule(
    struct output *out, const char *listener, const struct record_rule *rule)
{
	struct record *last =
	    out->rules == NULL ? NULL : &out->rules[out->rules_count - 1];
	struct record *rules;

	if (last == NULL || last->u.rules.count == RECORD_RULES_COUNT ||
	    strcmp(last->u.rules.listener, listener) != 0) {
		if (out->count + out->rules_count >= OUTPUT_ENDPOINTS)
			return -1;
		rules = reallocarray(
		    out->rules, out->rules_count + 1, sizeof(*rules));
		if (rules == NULL) {
			out->diagnostics.failed = 1;
			return -1;
		}
		out->rules = rules;
		last = &rules[out->rules_count++];
		memset(last, 0, sizeof(*last));
		last->type = RECORD_RULES;
		text_copy(
		    last->u.rules.listener, RECORD_LISTENER_SIZE, listener);
	}
	last->u.rules.rules[last->u.rules.count++] = *rule;
	return 0;
}

static int
output_write_all(int fd, const void *data, size_t size)
{
	const char *at = data;

	while (size > 0) {
		ssize_t n = write(fd, at, size);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return -1;
		at += n;
		size -= (size_t)n;
	}
	return 0;
}

int
output_write(const struct output *out, int fd)
{
	struct record first[2];

	memset(first, 0, sizeof(first));
	first[0].type = RECORD_HEADER;
	first[0].u.header.magic = RECORD_MAGIC;
	first[0].u.header.version = RECORD_VERSION;
	first[0].u.header.size = sizeof(struct record);
	first[1].type = RECORD_SETTINGS;
	first[1].u.settings = out->settings;
	if (output_write_all(fd, first, sizeof(first)) == -1)
		return -1;
	if (output_write_all(
		fd, out->sockets, out->count * sizeof(out->sockets[0])) == -1)
		return -1;
	return output_write_all(
	    fd, out->rules, out->rules_count * sizeof(out->rules[0]));
}
