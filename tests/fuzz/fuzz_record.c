/* SPDX-License-Identifier: ISC */
/*
 * Records of the configuration, as a config reader that was exploited may write
 * them: what the checks let pass is safe to use.
 */
#include "fuzz/fuzz.h"

#include "record/record.h"

#include <stdlib.h>
#include <string.h>

static void
expect_socket(const struct record_socket *sock)
{
	fuzz_must(fuzz_is_text(sock->name, sizeof(sock->name)));
	fuzz_must(sock->address_length <= sizeof(sock->address));
	fuzz_must(record_socket_type(sock->kind) != -1);
	if (record_path(sock) != NULL)
		fuzz_must(fuzz_is_text(record_path(sock), RECORD_PATH_SIZE));
	(void)record_has_connections(sock);
}

static void
expect_endpoint(const struct record_endpoint *endpoint)
{
	fuzz_must(fuzz_is_text(endpoint->listener, sizeof(endpoint->listener)));
	fuzz_must(record_is_listener_name(endpoint->listener));
	fuzz_must(fuzz_is_text(endpoint->mailbox, sizeof(endpoint->mailbox)));
	fuzz_must(endpoint->refuse_length <= RECORD_MESSAGE_SIZE);
}

static void
expect_rules(const struct record_rules *rules)
{
	fuzz_must(rules->count <= RECORD_RULES_COUNT);
	for (uint32_t i = 0; i < rules->count; i++)
		fuzz_must(rules->rules[i].prefix <= 128 &&
		    rules->rules[i].kind <= RECORD_RULE_LOCAL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record *record = calloc(1, sizeof(*record));
	const char *wrong;
	struct record_ids ids = {.monitor = 0};

	fuzz_must(record != NULL);
	if (size > sizeof(*record))
		size = sizeof(*record);
	memcpy(record, data, size);
	if (record_check_bind(record) == NULL)
		expect_socket(&record->u.socket);
	wrong = record_check(record);
	if (wrong == NULL) {
		expect_socket(&record->u.socket);
		(void)record_is_lent(record);
		if (record->type == RECORD_ENDPOINT)
			expect_endpoint(&record->u.endpoint);
	}
	if (record_check_rules(&record->u.rules) == NULL)
		expect_rules(&record->u.rules);
	memcpy(&ids, record, sizeof(ids));
	if (record_check_ids(&ids, record->u.endpoint.owner) == NULL)
		fuzz_must(ids.engine != 0 && ids.engine != ids.reader);
	free(record);
	return 0;
}
