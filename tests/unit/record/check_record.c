/* SPDX-License-Identifier: ISC */
/*
 * The numbers and flags of a record: valid records of every kind pass, and do
 * not pass with one field spoiled.  Each new field or flag needs a row here.
 */
#include "fixture/unit.h"

#include "fixture/record_sample.h"
#include "record/record.h"

#include <stddef.h>
#include <string.h>

enum sample {
	TCP4,
	TCP6,
	UDP4,
	UDP6,
	STREAM,
	DGRAM,
	SEQPACKET,
	ABSTRACT,
	SAMPLES,
};

#define INET_FLAGS (RECORD_FREEBIND | RECORD_REUSEPORT)
#define IP6_FLAGS (INET_FLAGS | RECORD_V6ONLY | RECORD_DUAL)
#define TCP_FLAGS (RECORD_REUSEADDR | RECORD_NODELAY | RECORD_KEEPALIVE)
#define UNIX_FLAGS (RECORD_PASS_CREDENTIALS | RECORD_PASS_SECURITY)

/* A valid record of every kind, and its properties. */
static const struct {
	uint32_t kind;
	const char *address;
	int type;
	int has_connections;
	int is_path;
	uint32_t flags; /* allowed with it */
} samples[SAMPLES] = {
    [TCP4] = {RECORD_TCP, "127.0.0.1", SOCK_STREAM, 1, 0,
	INET_FLAGS | TCP_FLAGS},
    [TCP6] = {RECORD_TCP, "::1", SOCK_STREAM, 1, 0, IP6_FLAGS | TCP_FLAGS},
    [UDP4] = {RECORD_UDP, "0.0.0.0", SOCK_DGRAM, 0, 0, INET_FLAGS},
    [UDP6] = {RECORD_UDP, "::", SOCK_DGRAM, 0, 0, IP6_FLAGS},
    [STREAM] = {RECORD_UNIX_STREAM, "/run/a", SOCK_STREAM, 1, 1, UNIX_FLAGS},
    [DGRAM] = {RECORD_UNIX_DGRAM, "/run/a", SOCK_DGRAM, 0, 1, UNIX_FLAGS},
    [SEQPACKET] = {RECORD_UNIX_SEQPACKET, "/run/a", SOCK_SEQPACKET, 1, 1,
	UNIX_FLAGS},
    [ABSTRACT] = {RECORD_UNIX_STREAM, "@a", SOCK_STREAM, 1, 0, UNIX_FLAGS},
};

static struct record
good(enum sample sample)
{
	uint32_t kind = samples[sample].kind;
	const char *address = samples[sample].address;

	return kind == RECORD_TCP || kind == RECORD_UDP ?
	    record_sample_inet(kind, address, 80) :
	    record_sample_unix(kind, address);
}

START_TEST(a_good_record_of_every_kind_passes)
{
	struct record record = good((enum sample)_i);

	record_sample_check(&record, NULL, record.u.socket.name);
	record.u.endpoint.handoff = RECORD_LISTENER;
	record_sample_check(&record, NULL, record.u.socket.name);
	record.u.socket.flags = samples[_i].flags;
	record_sample_check(&record, NULL, record.u.socket.name);
}
END_TEST

START_TEST(every_kind_is_understood)
{
	struct record record = good((enum sample)_i);

	ck_assert_int_eq(
	    record_socket_type(record.u.socket.kind), samples[_i].type);
	ck_assert_int_eq(record_has_connections(&record.u.socket),
	    samples[_i].has_connections);
	ck_assert_int_eq(
	    record_path(&record.u.socket) != NULL, samples[_i].is_path);
}
END_TEST

/* True if the flag belongs to another kind of socket or is unknown. */
START_TEST(each_flag_passes_only_where_it_has_a_meaning)
{
	for (int bit = 0; bit < 32; bit++) {
		struct record record = good((enum sample)_i);

		record.u.socket.flags = UINT32_C(1) << bit;
		record_sample_check(&record,
		    ((samples[_i].flags | RECORD_OPTIONAL | RECORD_KEEP) &
			record.u.socket.flags) != 0 ?
			NULL :
			"a flag",
		    record.u.socket.name);
	}
}
END_TEST

START_TEST(connections_are_handed_off_only_where_there_are_some)
{
	struct record record = good((enum sample)_i);

	record.u.endpoint.handoff = RECORD_CONNECTION;
	record_sample_check(&record,
	    samples[_i].has_connections ? NULL : "no connections",
	    record.u.socket.name);
}
END_TEST

/* Every kind with every address: only those of its own family are valid. */
START_TEST(a_kind_goes_with_its_family_only)
{
	for (int other = 0; other < SAMPLES; other++) {
		struct record record = good((enum sample)_i);
		int fits = (samples[_i].kind >= RECORD_UNIX_STREAM) ==
		    (samples[other].kind >= RECORD_UNIX_STREAM);

		record.u.endpoint.handoff = RECORD_LISTENER;
		record.u.socket.kind = samples[other].kind;
		record_sample_check(&record, fits ? NULL : "kind of socket",
		    record.u.socket.name);
	}
}
END_TEST

#define FIELD(name) #name, offsetof(struct record, u.endpoint.name)
#define SOCKET(name) #name, offsetof(struct record, u.socket.name)

/* One field of a valid record, either spoiled or at its limit. */
static const struct {
	enum sample sample;
	const char *name;
	size_t offset;
	uint32_t value;
	const char *wrong;
} fields[] = {
    {TCP4, SOCKET(kind), 0, "kind of socket"},
    {STREAM, SOCKET(kind), 0, "kind of socket"},
    {TCP4, SOCKET(kind), RECORD_UNIX_SEQPACKET + 1, "kind of socket"},
    {STREAM, SOCKET(kind), RECORD_UNIX_SEQPACKET + 1, "kind of socket"},
    {STREAM, SOCKET(kind), UINT32_MAX, "kind of socket"},
    {TCP4, FIELD(source.max_per_source), RECORD_SOURCE_MAX, NULL},
    {TCP4, FIELD(source.max_per_source), RECORD_SOURCE_MAX + 1, "limit"},
    {TCP4, FIELD(source.rate), RECORD_SOURCE_MAX + 1, "limit"},
    {TCP4, FIELD(source.rate), 1, "limit"}, /* without a period */
    {TCP4, FIELD(source.rate_period_s), UINT32_MAX, NULL}, /* not used */
    {TCP4, FIELD(source.prefix[0]), 33, "source-prefix"},
    {TCP4, FIELD(source.prefix[1]), 129, "source-prefix"},
    {TCP4, FIELD(source.accept_ahead), RECORD_AHEAD_MAX + 1, "accept-ahead"},
    {TCP4, FIELD(handoff), 0, "handoff"},
    {TCP4, FIELD(handoff), RECORD_LISTENER + 1, "handoff"},
    {TCP4, FIELD(handoff), UINT32_MAX, "handoff"},
    {TCP4, FIELD(window), 0, "window"},
    {TCP4, FIELD(window), 1, NULL},
    {TCP4, FIELD(window), RECORD_WINDOW_MAX, NULL},
    {TCP4, FIELD(window), RECORD_WINDOW_MAX + 1, "window"},
    {TCP4, FIELD(protocol), 0, "protocol"},
    {TCP4, FIELD(protocol), RECORD_AUTO, NULL},
    {TCP4, FIELD(protocol), RECORD_PORTLISTEN, NULL},
    {TCP4, FIELD(protocol), RECORD_BARE, NULL},
    {TCP4, FIELD(protocol), RECORD_BARE + 1, "protocol"},
    {TCP4, FIELD(protocol), UINT32_MAX, "protocol"},
    {TCP4, FIELD(refuse), 0, "refuse is"},
    {TCP4, FIELD(refuse), RECORD_CLOSE, NULL},
    {TCP4, FIELD(refuse), RECORD_RESET, NULL},
    {TCP4, FIELD(refuse), RECORD_MESSAGE, NULL},
    {TCP4, FIELD(refuse), RECORD_MESSAGE + 1, "refuse is"},
    {TCP4, FIELD(refuse), UINT32_MAX, "refuse is"},
    {TCP4, FIELD(refuse_length), 0, NULL},
    {TCP4, FIELD(refuse_length), RECORD_MESSAGE_SIZE, NULL},
    {TCP4, FIELD(refuse_length), RECORD_MESSAGE_SIZE + 1, "refuse-message"},
    {TCP4, FIELD(refuse_length), UINT32_MAX, "refuse-message"},
    {TCP4, FIELD(count), 0, "out of range"},
    {TCP4, FIELD(count), 1, NULL},
    {TCP4, FIELD(count), UINT32_MAX, NULL},
    {TCP4, FIELD(index), 1, "out of range"},
    {TCP4, FIELD(index), UINT32_MAX, "out of range"},
    {TCP4, SOCKET(backlog), 0, "backlog"},
    {TCP4, SOCKET(backlog), 1, NULL},
    {TCP4, SOCKET(backlog), INT32_MAX, NULL},
    {TCP4, SOCKET(backlog), UINT32_C(1) << 31, "backlog"},
    {TCP4, SOCKET(backlog), UINT32_MAX, "backlog"},
    {STREAM, SOCKET(mode), 0, NULL},
    {STREAM, SOCKET(mode), 0777, NULL},
    {STREAM, SOCKET(mode), 01000, "socket-mode"},
    {DGRAM, SOCKET(mode), 04000, "socket-mode"},
    {SEQPACKET, SOCKET(mode), RECORD_NO_ID, "socket-mode"},
    {ABSTRACT, SOCKET(mode), RECORD_NO_ID, NULL},
    {TCP4, SOCKET(mode), RECORD_NO_ID, NULL},
};

START_TEST(a_number_is_one_of_those_that_it_may_be)
{
	struct record record = good(fields[_i].sample);

	memcpy((char *)&record + fields[_i].offset, &fields[_i].value,
	    sizeof(fields[_i].value));
	record_sample_check(&record, fields[_i].wrong, fields[_i].name);
}
END_TEST

START_TEST(the_last_endpoint_of_many_is_in_range_and_the_next_is_not)
{
	struct record record = good(TCP4);

	record.u.endpoint.count = 3;
	record.u.endpoint.index = 2;
	record_sample_check(&record, NULL, "the last");
	record.u.endpoint.index = 3;
	record_sample_check(&record, "out of range", "one too many");
}
END_TEST

START_TEST(an_unknown_kind_has_no_socket_type)
{
	ck_assert_int_eq(record_socket_type(0), -1);
	ck_assert_int_eq(record_socket_type(RECORD_UNIX_SEQPACKET + 1), -1);
	ck_assert_int_eq(record_socket_type(UINT32_MAX), -1);
}
END_TEST

/* Those of the broker itself: a record like an endpoint's, but for its type. */
START_TEST(rendezvous_and_control_socket_are_paths)
{
	static const uint32_t types[] = {RECORD_RENDEZVOUS, RECORD_CONTROL};

	for (size_t i = 0; i < UNIT_COUNT(types); i++) {
		struct record record = good((enum sample)_i);

		record.type = types[i];
		record_sample_check(&record,
		    record_path(&record.u.socket) != NULL ? NULL : "are paths",
		    record.u.socket.name);
		/* What is behind the socket is no endpoint's. */
		record.u.endpoint.handoff = 0;
		record_sample_check(&record,
		    record_path(&record.u.socket) != NULL ? NULL : "are paths",
		    record.u.socket.name);
		record.u.socket.backlog = 0;
		record_sample_check(&record,
		    record_path(&record.u.socket) != NULL ? "backlog" : "are",
		    record.u.socket.name);
	}
}
END_TEST

START_TEST(other_records_have_no_socket)
{
	struct record record = good(STREAM);

	for (uint32_t type = 0; type <= RECORD_CONTROL + 1; type++) {
		record.type = type;
		record_sample_check(&record,
		    type == RECORD_ENDPOINT || type == RECORD_RENDEZVOUS ||
			    type == RECORD_CONTROL ?
			NULL :
			"out of place",
		    "type");
	}
}
END_TEST

START_TEST(only_a_listeners_socket_is_lent)
{
	struct record record = good(STREAM);

	ck_assert(!record_is_lent(&record));
	record.u.endpoint.handoff = RECORD_LISTENER;
	ck_assert(record_is_lent(&record));
	record.type = RECORD_CONTROL;
	ck_assert(!record_is_lent(&record));
}
END_TEST

UNIT_SUITE(record)
{
	TCase *tc = unit_case(suite, "numbers");

	tcase_add_loop_test(tc, a_good_record_of_every_kind_passes, 0, SAMPLES);
	tcase_add_loop_test(tc, every_kind_is_understood, 0, SAMPLES);
	tcase_add_loop_test(
	    tc, each_flag_passes_only_where_it_has_a_meaning, 0, SAMPLES);
	tcase_add_loop_test(tc,
	    connections_are_handed_off_only_where_there_are_some, 0, SAMPLES);
	tcase_add_loop_test(tc, a_kind_goes_with_its_family_only, 0, SAMPLES);
	tcase_add_loop_test(tc, a_number_is_one_of_those_that_it_may_be, 0,
	    (int)UNIT_COUNT(fields));
	tcase_add_test(
	    tc, the_last_endpoint_of_many_is_in_range_and_the_next_is_not);
	tcase_add_test(tc, an_unknown_kind_has_no_socket_type);
	tcase_add_loop_test(
	    tc, rendezvous_and_control_socket_are_paths, 0, SAMPLES);
	tcase_add_test(tc, other_records_have_no_socket);
	tcase_add_test(tc, only_a_listeners_socket_is_lent);
}
