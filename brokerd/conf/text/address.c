/* SPDX-License-Identifier: ISC */
/*
 * Values of listen, in the config reader: KIND:ADDRESS becomes socket
 * addresses.
 */
#include "conf/text/address.h"

#include "base/text.h"
#include "conf/text/inet.h"
#include "conf/text/pathname.h"

#include <sys/un.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_KINDS "tcp, udp, unix-stream, unix-dgram or unix-seqpacket"

/* path is clean, or begins with '@'. */
static int
address_add_unix(struct address_list *list, uint32_t kind, const char *path,
    struct reason *reason)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const size_t max = sizeof(un.sun_path) - 1;
	int abstract = path[0] == '@';
	size_t length = strlen(path) - (size_t)abstract;

	if (!abstract && path[length - 1] == '/')
		return reason_set(
		    reason, "a directory: expected the path of a socket");
	if (length == 0 || length > max)
		return reason_set(reason,
		    "a %s of %zu bytes: expected 1 to %zu",
		    abstract ? "name" : "path", length, max);
	/* An abstract name begins with a NUL and ends without one; a path is
	 * the other way round. */
	memcpy(un.sun_path + abstract, path + abstract, length);
	return address_list_add(list, kind, (const struct sockaddr *)&un,
	    offsetof(struct sockaddr_un, sun_path) + length + 1, reason);
}

static int
address_parse_unix(struct address_list *list, uint32_t kind, const char *text,
    struct reason *reason)
{
	char *path, *clean;
	int result;

	if (text[0] != '/' && text[0] != '@')
		return reason_set(reason, "expected %s:/PATH or %s:@NAME",
		    address_kind_name(kind), address_kind_name(kind));
	if (!text_is_printable(text, strlen(text) + 1))
		return reason_set(
		    reason, "a control character: expected printable text");
	if (text[0] == '@')
		return address_add_unix(list, kind, text, reason);
	clean = pathname_clean(text);
	path = clean == NULL ? NULL : pathname_follow(clean);
	free(clean);
	if (path == NULL && errno == ELOOP)
		return reason_set(reason,
		    "a directory on the way is a symbolic link that not only "
		    "root can make: expected the path that it leads to, see "
		    "namei -l");
	if (path == NULL)
		return reason_system(reason);
	result = address_add_unix(list, kind, path, reason);
	free(path);
	return result;
}

/* The kind of that name, 0 if there is none. */
static uint32_t
address_kind(const char *name, size_t length)
{
	for (uint32_t kind = 1; address_kind_name(kind) != NULL; kind++)
		if (strlen(address_kind_name(kind)) == length &&
		    strncmp(address_kind_name(kind), name, length) == 0)
			return kind;
	return 0;
}

int
address_parse(
    struct address_list *list, const char *text, struct reason *reason)
{
	const char *colon = strchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : 0;
	uint32_t kind = address_kind(text, length);
	int result;

	memset(list, 0, sizeof(*list));
	if (colon == NULL)
		return reason_set(reason,
		    "expected KIND:ADDRESS, with " ADDRESS_KINDS " as KIND");
	if (strncmp(text, "mptcp:", 6) == 0 || strncmp(text, "sctp:", 5) == 0 ||
	    strncmp(text, "vsock:", 6) == 0)
		return reason_set(reason,
		    "%.*s is not supported yet: expected " ADDRESS_KINDS,
		    (int)length, text);
	if (kind == 0)
		return reason_set(reason,
		    "unknown kind \"%.*s\": expected " ADDRESS_KINDS,
		    length < 64 ? (int)length : 64, text);
	result = kind >= RECORD_UNIX_STREAM ?
	    address_parse_unix(list, kind, colon + 1, reason) :
	    inet_parse(list, kind, colon + 1, reason);
	if (result == -1)
		address_list_done(list);
	return result;
}

int
address_unknown(
    struct address_list *list, const char *text, struct reason *reason)
{
	const struct sockaddr none = {.sa_family = AF_UNSPEC};

	memset(list, 0, sizeof(*list));
	if (address_list_add(list, address_kind(text, strcspn(text, ":")),
		&none, 0, reason) == -1)
		return -1;
	snprintf(list->items[0].name, sizeof(list->items[0].name), "%s", text);
	return 0;
}
