/* SPDX-License-Identifier: ISC */
/*
 * Socket addresses and their names, in the config reader.
 */
#include "conf/text/address_list.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *
address_kind_name(uint32_t kind)
{
	static const char *const names[] = {
	    [RECORD_TCP] = "tcp",
	    [RECORD_UDP] = "udp",
	    [RECORD_UNIX_STREAM] = "unix-stream",
	    [RECORD_UNIX_DGRAM] = "unix-dgram",
	    [RECORD_UNIX_SEQPACKET] = "unix-seqpacket",
	};

	return kind < sizeof(names) / sizeof(names[0]) ? names[kind] : NULL;
}

static void
address_name_inet(struct address *address, const char *kind)
{
	const struct sockaddr_in *in = (const void *)&address->storage;
	const struct sockaddr_in6 *in6 = (const void *)&address->storage;
	char host[INET6_ADDRSTRLEN] = "", scope[IF_NAMESIZE + 1] = "";

	if (address->storage.ss_family == AF_INET) {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(address->name, sizeof(address->name), "%s:%s:%u", kind,
		    host, ntohs(in->sin_port));
		return;
	}
	inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
	if (in6->sin6_scope_id != 0) {
		scope[0] = '%';
		if (if_indextoname(in6->sin6_scope_id, scope + 1) == NULL)
			snprintf(
			    scope, sizeof(scope), "%%%u", in6->sin6_scope_id);
	}
	snprintf(address->name, sizeof(address->name), "%s:[%s%s]:%u", kind,
	    host, scope, ntohs(in6->sin6_port));
}

static void
address_name_unix(struct address *address, const char *kind)
{
	const struct sockaddr_un *un = (const void *)&address->storage;

	int abstract = un->sun_path[0] == '\0';

	snprintf(address->name, sizeof(address->name), "%s:%s%s", kind,
	    abstract ? "@" : "", un->sun_path + abstract);
}

int
address_list_add(struct address_list *list, uint32_t kind,
    const struct sockaddr *socket_address, size_t length, struct reason *reason)
{
	struct address *items =
	    reallocarray(list->items, list->count + 1, sizeof(*list->items));
	struct address *address;

	if (items == NULL)
		return reason_system(reason);
	list->items = items;
	address = &items[list->count];
	memset(address, 0, sizeof(*address));
	address->kind = kind;
	address->length = (uint32_t)length;
	memcpy(&address->storage, socket_address, length);
	if (socket_address->sa_family == AF_UNIX)
		address_name_unix(address, address_kind_name(kind));
	else
		address_name_inet(address, address_kind_name(kind));
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(items[i].name, address->name) == 0)
			return 0;
	list->count++;
	return 0;
}

void
address_list_done(struct address_list *list)
{
	free(list->items);
	memset(list, 0, sizeof(*list));
}
