/* SPDX-License-Identifier: ISC */
/*
 * Endpoint records for tests, made by hand: what the config reader writes.
 */
#include "sample.h"

#include "unit.h"

#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static struct record_endpoint
sample_common(uint32_t kind)
{
	struct record_endpoint record;

	memset(&record, 0, sizeof(record));
	record.kind = kind;
	record.handoff = kind == RECORD_UDP || kind == RECORD_UNIX_DGRAM ?
	    RECORD_LISTENER :
	    RECORD_CONNECTION;
	record.protocol = RECORD_AUTO;
	record.refuse = RECORD_CLOSE;
	record.count = 1;
	record.backlog = 16;
	record.give_up_s = 60;
	record.window = 64;
	record.receipt_timeout_s = 2;
	record.redeliveries = 3;
	record.owner = RECORD_NO_ID;
	record.socket_uid = RECORD_NO_ID;
	record.socket_gid = RECORD_NO_ID;
	record.socket_mode = 0666;
	snprintf(record.listener, sizeof(record.listener), "www");
	snprintf(record.mailbox, sizeof(record.mailbox), "/nowhere/mailbox");
	return record;
}

struct record_endpoint
sample_inet(uint32_t kind, const char *address, uint16_t port)
{
	struct record_endpoint record = sample_common(kind);
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 in6 = {
	    .sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET, address, &in.sin_addr) == 1) {
		memcpy(&record.address, &in, sizeof(in));
		record.address_length = sizeof(in);
	} else {
		ck_assert_int_eq(
		    inet_pton(AF_INET6, address, &in6.sin6_addr), 1);
		memcpy(&record.address, &in6, sizeof(in6));
		record.address_length = sizeof(in6);
	}
	snprintf(record.name, sizeof(record.name), "%s:%s:%u",
	    kind == RECORD_TCP ? "tcp" : "udp", address, port);
	return record;
}

struct record_endpoint
sample_unix(uint32_t kind, const char *path)
{
	struct record_endpoint record = sample_common(kind);
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	size_t length = strlen(path);

	ck_assert_uint_lt(length, sizeof(un.sun_path));
	memcpy(un.sun_path, path, length);
	if (path[0] == '@')
		un.sun_path[0] = '\0';
	memcpy(&record.address, &un, sizeof(un));
	record.address_length =
	    (uint32_t)(offsetof(struct sockaddr_un, sun_path) + length +
		(path[0] == '@' ? 0 : 1));
	snprintf(record.name, sizeof(record.name), "unix:%s", path);
	return record;
}

void
sample_check(
    const struct record_endpoint *record, const char *wrong, const char *what)
{
	const char *said = record_check(record);

	if (wrong == NULL)
		ck_assert_msg(said == NULL, "%s: %s", what, said);
	else
		ck_assert_msg(said != NULL && strstr(said, wrong) != NULL,
		    "%s: %s", what, said == NULL ? "passed" : said);
}
