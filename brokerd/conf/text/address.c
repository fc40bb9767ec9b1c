/* SPDX-License-Identifier: ISC */
/*
 * Addresses of the configuration, in the config reader: KIND:ADDRESS becomes
 * socket addresses and the names that everybody calls them by.
 */
#include "conf/text/address.h"

#include "base/fd.h"
#include "conf/text/inet.h"
#include "conf/text/pathname.h"

#include <netinet/in.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_KINDS "tcp, udp, unix-stream, unix-dgram or unix-seqpacket"

static const struct {
	const char *name;
	uint32_t kind; /* 0: known, but not supported */
	int is_unix;
} address_kinds[] = {
    {"tcp", RECORD_TCP, 0},
    {"udp", RECORD_UDP, 0},
    {"unix-stream", RECORD_UNIX_STREAM, 1},
    {"unix-dgram", RECORD_UNIX_DGRAM, 1},
    {"unix-seqpacket", RECORD_UNIX_SEQPACKET, 1},
    {"mptcp", 0, 0},
    {"sctp", 0, 0},
    {"vsock", 0, 0},
};

#define ADDRESS_COUNT (sizeof(address_kinds) / sizeof(address_kinds[0]))

const char *
address_kind_name(uint32_t kind)
{
	for (size_t i = 0; kind != 0 && i < ADDRESS_COUNT; i++)
		if (address_kinds[i].kind == kind)
			return address_kinds[i].name;
	return NULL;
}

int
address_has_ipv6(void)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int has = 1;

	if (fd == -1)
		return errno != EAFNOSUPPORT;
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) == -1)
		has = errno != EADDRNOTAVAIL && errno != EAFNOSUPPORT;
	fd_close(fd);
	return has;
}

static void
address_name_unix(struct address *address, const char *kind)
{
	const struct sockaddr_un *un = (const void *)&address->storage;

	if (un->sun_path[0] == '\0')
		snprintf(address->name, sizeof(address->name), "%s:@%s", kind,
		    un->sun_path + 1);
	else
		snprintf(address->name, sizeof(address->name), "%s:%s", kind,
		    un->sun_path);
}

int
address_list_add(struct address_list *list, uint32_t kind,
    const struct sockaddr *socket_address, size_t length, struct reason *why)
{
	struct address *items =
	    reallocarray(list->items, list->count + 1, sizeof(*list->items));
	struct address *address;

	if (items == NULL)
		return reason_system(why);
	list->items = items;
	address = &items[list->count];
	memset(address, 0, sizeof(*address));
	address->kind = kind;
	address->length = (uint32_t)length;
	memcpy(&address->storage, socket_address, length);
	if (socket_address->sa_family == AF_UNIX)
		address_name_unix(address, address_kind_name(kind));
	else
		inet_name(address, address_kind_name(kind));
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(items[i].name, address->name) == 0)
			return 0;
	list->count++;
	return 0;
}

/* path is clean, or begins with '@'. */
static int
address_add_unix(struct address_list *list, uint32_t kind, const char *path,
    struct reason *why)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const size_t max = sizeof(un.sun_path) - 1;
	int abstract = path[0] == '@';
	size_t length = strlen(path) - (size_t)abstract;

	if (!abstract && path[length - 1] == '/')
		return reason_set(
		    why, "a directory: expected the path of a socket");
	if (length == 0 || length > max)
		return reason_set(why, "a %s of %zu bytes: expected 1 to %zu",
		    abstract ? "name" : "path", length, max);
	/* An abstract name begins with a NUL and ends without one; a path is
	 * the other way round. */
	memcpy(un.sun_path + abstract, path + abstract, length);
	return address_list_add(list, kind, (const struct sockaddr *)&un,
	    offsetof(struct sockaddr_un, sun_path) + length + 1, why);
}

static int
address_parse_unix(struct address_list *list, uint32_t kind, const char *text,
    struct reason *why)
{
	char *path;
	int result;

	if (text[0] != '/' && text[0] != '@')
		return reason_set(why, "expected %s:/PATH or %s:@NAME",
		    address_kind_name(kind), address_kind_name(kind));
	if (!pathname_is_printable(text))
		return reason_set(
		    why, "a control character: expected printable text");
	path = text[0] == '/' ? pathname_clean(text) : strdup(text);
	if (path == NULL)
		return reason_system(why);
	result = address_add_unix(list, kind, path, why);
	free(path);
	return result;
}

int
address_parse(struct address_list *list, const char *text, int has_ipv6,
    struct reason *why)
{
	const char *colon = strchr(text, ':');
	size_t length = colon != NULL ? (size_t)(colon - text) : 0;
	size_t i = 0;
	int result;

	memset(list, 0, sizeof(*list));
	if (colon == NULL)
		return reason_set(why,
		    "expected KIND:ADDRESS, with " ADDRESS_KINDS " as KIND");
	while (i < ADDRESS_COUNT &&
	    (strlen(address_kinds[i].name) != length ||
		strncmp(address_kinds[i].name, text, length) != 0))
		i++;
	if (i == ADDRESS_COUNT)
		return reason_set(why,
		    "unknown kind \"%.*s\": expected " ADDRESS_KINDS,
		    length < 64 ? (int)length : 64, text);
	if (address_kinds[i].kind == 0)
		return reason_set(why,
		    "%s is not supported yet: expected " ADDRESS_KINDS,
		    address_kinds[i].name);
	if (address_kinds[i].is_unix)
		result = address_parse_unix(
		    list, address_kinds[i].kind, colon + 1, why);
	else
		result = inet_parse(
		    list, address_kinds[i].kind, colon + 1, has_ipv6, why);
	if (result == -1)
		address_list_done(list);
	return result;
}

void
address_list_done(struct address_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
