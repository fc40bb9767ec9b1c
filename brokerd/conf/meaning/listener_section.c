/* SPDX-License-Identifier: ISC */
/*
 * The endpoints of a listener, in the config reader: first the values by the
 * table of keys, then the rules between keys.
 */
#include "conf/meaning/listener_section.h"

#include "base/text.h"
#include "conf/meaning/ownership.h"
#include "conf/meaning/source_section.h"
#include "conf/text/address.h"
#include "conf/text/inet.h"

#include <netinet/in.h>

#include <stdio.h>
#include <string.h>

/* Values that a listener's endpoints share. */
struct listener_section {
	struct output *out;
	struct section *section;
	struct record_endpoint common;
	size_t first;       /* of its endpoints in out */
	unsigned int needs; /* enum key_need that one of them meets */
	const struct value *lacks_connections; /* the last such address */
};

static void
listener_section_error(struct listener_section *listener, enum key_id id,
    const struct reason *reason)
{
	diagnostics_reason(&listener->out->diagnostics,
	    section_at(listener->section, id), keys[id].name, reason);
}

static void
listener_section_store(
    struct listener_section *listener, enum key_id id, uint32_t value)
{
	if (keys[id].flag != 0)
		listener->common.socket.flags |= value == 1 ? keys[id].flag : 0;
	else
		memcpy((char *)&listener->common + keys[id].offset, &value,
		    sizeof(value));
}

/* Other functions read the keys that are not a number, choice, boolean, mode or
 * id, and the owner. */
static void
listener_section_read_key(struct listener_section *listener, enum key_id id)
{
	const struct value *value = section_value(listener->section, id);
	uint32_t number = RECORD_NO_ID;
	struct reason reason;

	if ((keys[id].flag == 0 && keys[id].offset == 0) || id == KEY_OWNER)
		return;
	if (value != NULL &&
	    key_read(&keys[id], value->text, &number, &reason) == 0) {
		listener_section_store(listener, id, number);
		return;
	}
	if (value != NULL)
		listener_section_error(listener, id, &reason);
	if (keys[id].initial != NULL)
		key_read(&keys[id], keys[id].initial, &number, &reason);
	listener_section_store(listener, id, number);
}

static unsigned int
listener_section_needs(const struct record_endpoint *endpoint)
{
	unsigned int needs = 0;

	if (endpoint->socket.kind == RECORD_TCP)
		needs |= KEY_NEEDS_TCP;
	if (endpoint->socket.address.ss_family == AF_UNIX)
		needs |= KEY_NEEDS_UNIX;
	else
		needs |= KEY_NEEDS_INET;
	if (record_path(&endpoint->socket) != NULL)
		needs |= KEY_NEEDS_PATH;
	if (record_has_connections(&endpoint->socket))
		needs |= KEY_NEEDS_CONNECTIONS;
	if (endpoint->handoff == RECORD_CONNECTION)
		needs |= KEY_NEEDS_HANDOFF;
	else
		needs |= KEY_NEEDS_LENT;
	return needs;
}

/* Removes the values that have no effect on this endpoint, and adds those that
 * have no key: the monitor applies exactly these. */
static void
listener_section_trim(struct record_endpoint *endpoint, unsigned int needs)
{
	for (enum key_id id = KEY_LISTEN; id < KEY_COUNT; id++)
		if (keys[id].flag != 0 && !(keys[id].needs & needs))
			endpoint->socket.flags &= ~keys[id].flag;
	if (endpoint->socket.address.ss_family != AF_INET6)
		endpoint->socket.flags &= ~(uint32_t)RECORD_V6ONLY;
	else if (!(endpoint->socket.flags & RECORD_V6ONLY))
		endpoint->socket.flags |= RECORD_DUAL;
	if (endpoint->socket.kind == RECORD_TCP)
		endpoint->socket.flags |= RECORD_REUSEADDR;
	if (record_path(&endpoint->socket) == NULL)
		endpoint->socket.uid = endpoint->socket.gid =
		    endpoint->socket.mode = RECORD_NO_ID;
}

static void
listener_section_check_address(struct listener_section *listener,
    const struct value *value, const struct record_endpoint *endpoint)
{
	const struct sockaddr_in6 *in6 =
	    (const void *)&endpoint->socket.address;

	/* Only once for all addresses of one value. */
	if (!record_has_connections(&endpoint->socket) &&
	    endpoint->handoff == RECORD_CONNECTION &&
	    value != listener->lacks_connections)
		diagnostics_error(&listener->out->diagnostics, value->at,
		    "listen: " REASON_VALUE
		    " has no connections to hand off: expected handoff = "
		    "listener",
		    value->text);
	if (!record_has_connections(&endpoint->socket))
		listener->lacks_connections = value;
	if (endpoint->socket.address.ss_family == AF_INET6 &&
	    (endpoint->socket.flags & RECORD_V6ONLY) &&
	    IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
		diagnostics_error(&listener->out->diagnostics, value->at,
		    "listen: " REASON_VALUE
		    " is an IPv4 address in IPv6: expected the IPv4 address, "
		    "or v6only = false",
		    value->text);
}

/* Returns 0, or -1 if no more endpoints can be added. */
static int
listener_section_add(struct listener_section *listener,
    const struct value *value, const struct address *address)
{
	struct output *out = listener->out;
	struct record *record = output_add(out, RECORD_ENDPOINT, value->at);
	struct record_endpoint *endpoint;

	if (record == NULL) {
		if (!out->diagnostics.failed)
			diagnostics_error(&out->diagnostics, value->at,
			    "listen: too many addresses: expected at most %d "
			    "in all listeners",
			    OUTPUT_ENDPOINTS);
		return -1;
	}
	endpoint = &record->u.endpoint;
	memcpy(endpoint, &listener->common, sizeof(*endpoint));
	endpoint->socket.kind = address->kind;
	endpoint->socket.address_length = address->length;
	memcpy(&endpoint->socket.address, &address->storage, address->length);
	text_copy(endpoint->socket.name, sizeof(endpoint->socket.name),
	    address->name);
	listener->needs |= listener_section_needs(endpoint);
	listener_section_trim(endpoint, listener_section_needs(endpoint));
	listener_section_check_address(listener, value, endpoint);
	return 0;
}

/* Reads one value of listen.  0, or -1 after an error. */
static int
listener_section_parse(struct listener_section *listener,
    const struct value *value, struct address_list *list)
{
	struct diagnostics *diagnostics = &listener->out->diagnostics;
	char subject[REASON_SIZE];
	struct reason reason;

	if (address_parse(list, value->text, &reason) == 0)
		return 0;
	if (listener->out->partial && reason.kind != REASON_WRONG) {
		diagnostics_warning(diagnostics, value->at,
		    "listen: " REASON_VALUE ": %s: it is left out until a "
		    "reload finds it",
		    value->text, reason.text);
		if (address_unknown(list, value->text, &reason) == 0)
			return 0;
	}
	snprintf(
	    subject, sizeof(subject), "listen: " REASON_VALUE, value->text);
	diagnostics_reason(diagnostics, value->at, subject, &reason);
	return -1;
}

/* Of the addresses of a name or "*", those that the machine does not have now
 * are left out if it has others. */
static void
listener_section_mark_optional(struct listener_section *listener, size_t first)
{
	struct record *records = listener->out->sockets;
	size_t end = listener->out->count;
	int here = listener->out->partial;

	for (size_t i = first; i < end && !here && end - first > 1; i++)
		here = inet_is_here(&records[i].u.socket);
	for (size_t i = first; i < end && here; i++)
		if (listener->out->partial ||
		    !inet_is_here(&records[i].u.socket))
			records[i].u.socket.flags |= RECORD_OPTIONAL;
}

static int
listener_section_read_address(
    struct listener_section *listener, const struct value *value)
{
	size_t first = listener->out->count;
	struct address_list list;
	int result = 0;

	if (listener_section_parse(listener, value, &list) == -1)
		return 0;
	if (list.wildcard && !(listener->common.socket.flags & RECORD_V6ONLY)) {
		diagnostics_error(&listener->out->diagnostics,
		    section_at(listener->section, KEY_V6ONLY),
		    "v6only: false cannot be combined with " REASON_VALUE
		    ", which is two sockets: expected true, or [::] instead of "
		    "*",
		    value->text);
		/* Otherwise they would be reported as an overlap too. */
		listener->common.socket.flags |= RECORD_V6ONLY;
	}
	for (size_t i = 0; i < list.count && result == 0; i++)
		result = listener_section_add(listener, value, &list.items[i]);
	listener_section_mark_optional(listener, first);
	address_list_done(&list);
	return result;
}

static void
listener_section_read_message(struct listener_section *listener)
{
	const struct value *value =
	    section_value(listener->section, KEY_REFUSE_MESSAGE);
	const struct key *key = &keys[KEY_REFUSE_MESSAGE];
	int wanted = listener->common.refuse == RECORD_MESSAGE;
	size_t length = value != NULL ? strlen(value->text) : 0;
	struct reason reason;

	if (value == NULL && wanted) {
		diagnostics_error(&listener->out->diagnostics,
		    section_at(listener->section, KEY_REFUSE),
		    "%s: not given: expected the text for refuse = message",
		    key->name);
	} else if (value != NULL && !wanted) {
		reason_set(&reason, "has no effect: expected refuse = message");
		listener_section_error(listener, KEY_REFUSE_MESSAGE, &reason);
	} else if (value != NULL && (length < key->min || length > key->max)) {
		reason_set(&reason, "%zu bytes: expected %u to %u", length,
		    key->min, key->max);
		listener_section_error(listener, KEY_REFUSE_MESSAGE, &reason);
	} else if (value != NULL) {
		listener->common.refuse_length = (uint32_t)length;
		memcpy(listener->common.refuse_message, value->text, length);
	}
}

/* Reports keys that have no effect on any endpoint. */
static void
listener_section_check_needs(struct listener_section *listener)
{
	struct reason reason;

	for (enum key_id id = KEY_LISTEN; id < KEY_COUNT; id++) {
		unsigned int needs = keys[id].needs;

		if (needs == 0 || (needs & listener->needs) ||
		    section_value(listener->section, id) == NULL)
			continue;
		reason_set(&reason, "has no effect: expected %s",
		    key_need_text(needs));
		listener_section_error(listener, id, &reason);
	}
}

static void
listener_section_finish(struct listener_section *listener)
{
	struct output *out = listener->out;
	size_t count = out->count - listener->first;

	for (size_t i = 0; i < count; i++) {
		struct record *record = &out->sockets[listener->first + i];
		const char *wrong;

		record->u.endpoint.index = (uint32_t)i;
		record->u.endpoint.count = (uint32_t)count;
		wrong = record_check(record);
		if (wrong != NULL && out->diagnostics.errors == 0)
			diagnostics_error(&out->diagnostics,
			    out->at[listener->first + i], "listen: \"%s\": %s",
			    record->u.socket.name, wrong);
	}
}

void
listener_section_read(struct output *out, struct section *section,
    const struct section_context *context)
{
	struct listener_section listener = {
	    .out = out, .section = section, .first = out->count};
	struct record_endpoint *common = &listener.common;
	const struct value *value = section_value(section, KEY_LISTEN);
	int failed = value == NULL;

	memset(common, 0, sizeof(*common));
	for (enum key_id id = KEY_LISTEN; id < KEY_COUNT; id++)
		listener_section_read_key(&listener, id);
	listener_section_read_message(&listener);
	source_section_read(out, section, &common->source);
	listener_mailbox_read(out, section, context);
	common->owner = section->owner;
	text_copy(common->listener, RECORD_LISTENER_SIZE, section->name);
	memcpy(common->mailbox, section->mailbox, RECORD_PATH_SIZE);
	if (section_value(section, KEY_MAILBOX) == NULL)
		common->default_mailbox = 1;
	if (value == NULL)
		diagnostics_error(&out->diagnostics, section->at,
		    "listen: not given: expected at least one address");
	for (; value != NULL; value = value->next) {
		size_t errors = out->diagnostics.errors;

		if (listener_section_read_address(&listener, value) == -1)
			return;
		failed |= out->diagnostics.errors != errors;
	}
	if (!failed) {
		listener_section_check_needs(&listener);
		source_section_check(out, section, listener.needs);
	}
	if (listener.needs & KEY_NEEDS_PATH)
		ownership_check_socket(out, section, common, context->ids);
	listener_section_finish(&listener);
}
