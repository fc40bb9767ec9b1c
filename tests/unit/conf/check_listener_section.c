/* SPDX-License-Identifier: ISC */
/*
 * From the section of a listener to endpoints: the effect of each key, and
 * keys that exclude each other.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "conf/meaning/listener_section.h"

#include <stdio.h>
#include <string.h>

#define LISTENER 2 /* its line; its first key is in line 11 */

/* A broker that root started, where owner 9 may be any user. */
static const struct ids ids = {
    .privileged = 1, .initial = 1, .record = {0, 7, 8, 8, 65534}};

/* Reads "KEY VALUE\n..." as a listener, one key a line from line 11 on.
 * "owner 9" is in line 10. */
static void
run(struct output *out, const char *text, int partial)
{
	struct section_context context = {
	    .rundir = "/run/b", .ids = &ids, .in_file = 1};
	char copy[2048], *rest = copy;
	unsigned int line = 10;
	struct section *section;
	struct tree tree;

	output_init(out);
	out->partial = partial;
	tree_init(&tree);
	section = tree_add(&tree, "www", AT_LINE(LISTENER));
	ck_assert_int_eq(
	    section_add(section, KEY_OWNER, "9", AT_LINE(line++)), 0);
	ck_assert_uint_lt(strlen(text), sizeof(copy));
	strcpy(copy, text);
	while (*rest != '\0') {
		char *key = strsep(&rest, " ");
		char *value = strsep(&rest, "\n");
		enum key_id id = keys_find(key);

		ck_assert_msg(id < KEY_COUNT, "there is no key %s", key);
		ck_assert_int_eq(
		    section_add(section, id, value, AT_LINE(line++)), 0);
		if (rest == NULL)
			break;
	}
	listener_section_read(out, section, &context);
	tree_done(&tree);
}

/* Asserts that text makes count valid endpoints.  Returns the first one. */
static const struct record_endpoint *
good(struct output *out, const char *text, size_t count)
{
	run(out, text, 0);
	diagnostic_expect_only(&out->diagnostics, 0, NULL, text);
	ck_assert_uint_eq(out->count, count);
	for (uint32_t i = 0; i < count; i++) {
		const struct record *record = &out->sockets[i];

		ck_assert_uint_eq(record->u.endpoint.index, i);
		ck_assert_uint_eq(record->u.endpoint.count, count);
		ck_assert_ptr_null(record_check(record));
	}
	return &out->sockets[0].u.endpoint;
}

START_TEST(what_is_not_given_has_its_default)
{
	struct output out;
	const struct record_endpoint *e =
	    good(&out, "listen tcp:127.0.0.1:80", 1);

	ck_assert_uint_eq(out.at[0].line, 11);
	ck_assert_uint_eq(e->socket.kind, RECORD_TCP);
	ck_assert_uint_eq(e->handoff, RECORD_CONNECTION);
	ck_assert_uint_eq(e->protocol, RECORD_AUTO);
	ck_assert_uint_eq(e->refuse, RECORD_CLOSE);
	ck_assert_uint_eq(e->socket.backlog, 4096);
	ck_assert_uint_eq(e->give_up_s, 60);
	ck_assert_uint_eq(e->stuck_after_s, 30);
	ck_assert_uint_eq(e->owner, 9);
	ck_assert_uint_eq(e->socket.uid, RECORD_NO_ID);
	ck_assert_uint_eq(e->socket.gid, RECORD_NO_ID);
	ck_assert_uint_eq(e->socket.mode, RECORD_NO_ID);
	ck_assert_str_eq(e->listener, "www");
	ck_assert_str_eq(e->socket.name, "tcp:127.0.0.1:80");
	ck_assert_str_eq(e->mailbox, "/run/b/mailbox/www/");
	output_done(&out);
}
END_TEST

START_TEST(what_is_given_is_in_the_endpoint)
{
	struct output out;
	const struct record_endpoint *e = good(&out,
	    "listen unix-stream:/s\nhandoff connection\nmailbox /m\n"
	    "protocol bare\nbacklog 7\ngive-up 0\nstuck-after never\n"
	    "refuse message\n"
	    "refuse-message go away\nsocket-user 1\nsocket-group 2\n"
	    "socket-mode 0640",
	    1);

	ck_assert_uint_eq(e->socket.kind, RECORD_UNIX_STREAM);
	ck_assert_uint_eq(e->protocol, RECORD_BARE);
	ck_assert_uint_eq(e->socket.backlog, 7);
	ck_assert_uint_eq(e->give_up_s, 0);
	ck_assert_uint_eq(e->stuck_after_s, 0);
	ck_assert_uint_eq(e->refuse, RECORD_MESSAGE);
	ck_assert_uint_eq(e->refuse_length, strlen("go away"));
	ck_assert_mem_eq(e->refuse_message, "go away", strlen("go away"));
	ck_assert_uint_eq(e->socket.uid, 1);
	ck_assert_uint_eq(e->socket.gid, 2);
	ck_assert_uint_eq(e->socket.mode, 0640);
	ck_assert_str_eq(e->mailbox, "/m");
	output_done(&out);
}
END_TEST

static const struct {
	size_t count;
	const char *text;
	uint32_t flags; /* of the first endpoint */
} flags[] = {
    {1, "listen tcp:127.0.0.1:1", RECORD_REUSEADDR},
    {1, "mailbox /m\nlisten tcp:127.0.0.1:1", RECORD_REUSEADDR},
    {1, "mailbox /m\nlisten tcp:[::]:1", RECORD_REUSEADDR | RECORD_V6ONLY},
    {1, "mailbox /m\nlisten tcp:[::]:1\nv6only false",
	RECORD_REUSEADDR | RECORD_DUAL},
    {1,
	"mailbox /m\nlisten tcp:[::1]:1\nnodelay true\nkeepalive true\n"
	"freebind true\nreuse-port true",
	RECORD_REUSEADDR | RECORD_V6ONLY | RECORD_NODELAY | RECORD_KEEPALIVE |
	    RECORD_FREEBIND | RECORD_REUSEPORT},
    {1, "mailbox /m\nlisten udp:127.0.0.1:1\nhandoff listener", RECORD_KEEP},
    {1,
	"mailbox /m\nlisten udp:127.0.0.1:1\nhandoff listener\n"
	"on-removal shutdown",
	0},
    {1, "mailbox /m\nlisten udp:[::1]:1\nhandoff listener\nfreebind true",
	RECORD_V6ONLY | RECORD_FREEBIND | RECORD_KEEP},
    {1, "mailbox /m\nlisten unix-stream:@a", 0},
    {1,
	"mailbox /m\nlisten unix-stream:@a\npass-credentials true\n"
	"pass-security true",
	RECORD_PASS_CREDENTIALS | RECORD_PASS_SECURITY},
    {1, "mailbox /m\nlisten tcp:[::ffff:127.0.0.1]:1\nv6only false",
	RECORD_REUSEADDR | RECORD_DUAL},
    /* The key affects the other address. */
    {2,
	"mailbox /m\nlisten unix-stream:@a\nlisten tcp:127.0.0.1:1\n"
	"nodelay true\nfreebind true",
	0},
    {2,
	"mailbox /m\nlisten tcp:127.0.0.1:1\nlisten unix-stream:@a\n"
	"pass-security true",
	RECORD_REUSEADDR},
};

START_TEST(an_endpoint_has_the_flags_that_concern_it)
{
	struct output out;
	ck_assert_uint_eq(
	    good(&out, flags[_i].text, flags[_i].count)->socket.flags,
	    flags[_i].flags);
	output_done(&out);
}
END_TEST

START_TEST(a_listener_without_a_mailbox_has_the_default_one)
{
	struct output out;

	ck_assert(good(&out, "listen tcp:127.0.0.1:1", 1)->default_mailbox);
	output_done(&out);
	ck_assert(!good(&out, "mailbox /m\nlisten unix-stream:@a", 1)
		       ->default_mailbox);
	output_done(&out);
}
END_TEST

START_TEST(a_socket_file_has_a_mode_and_no_other_socket_has)
{
	struct output out;
	const struct record_endpoint *e = good(&out,
	    "listen unix-seqpacket:/s\nlisten unix-seqpacket:@s\nlisten "
	    "tcp:127.0.0.1:1\nsocket-user 1\nsocket-group 1",
	    3);

	ck_assert_uint_eq(e->socket.mode, 0666);
	ck_assert_uint_eq(e->socket.uid, 1);
	for (size_t i = 1; i < 3; i++) {
		e = &out.sockets[i].u.endpoint;
		ck_assert_uint_eq(e->socket.mode, RECORD_NO_ID);
		ck_assert_uint_eq(e->socket.uid, RECORD_NO_ID);
		ck_assert_uint_eq(e->socket.gid, RECORD_NO_ID);
	}
	output_done(&out);
}
END_TEST

static const struct {
	const char *text;
	unsigned int line;
	const char *message;
} wrong[] = {
    {"backlog 7", LISTENER, "listen: not given: expected at least one"},
    {"listen tcp:127.0.0.1:1\nlisten x", 12, "listen: \"x\": "},
    {"listen tcp:127.0.0.1:1\nbacklog 0", 12,
	"backlog: \"0\": expected 1 to 65535"},
    {"listen tcp:127.0.0.1:1\nrefuse message", 12,
	"refuse-message: not given: expected the text for refuse"},
    {"listen tcp:127.0.0.1:1\nrefuse-message x", 12,
	"refuse-message: has no effect: expected refuse = message"},
    {"listen tcp:127.0.0.1:1\nrefuse message\nrefuse-message ", 13,
	"refuse-message: 0 bytes: expected 1 to 1024"},
    {"listen tcp:127.0.0.1:1\npass-security true", 12,
	"pass-security: has no effect: expected a unix-stream"},
    {"listen unix-stream:@a\nsocket-mode 0600", 12,
	"socket-mode: has no effect: expected an address in listen that is"},
    {"listen unix-stream:/a\nv6only true", 12,
	"v6only: has no effect: expected a tcp or udp address"},
    {"listen udp:127.0.0.1:1\nhandoff listener\nbacklog 7", 13,
	"backlog: has no effect: expected a tcp, unix-stream or"},
    {"listen tcp:127.0.0.1:1\nhandoff listener\ngive-up 7", 13,
	"give-up: has no effect: expected handoff = connection"},
    {"listen udp:127.0.0.1:1", 11,
	"listen: \"udp:127.0.0.1:1\" has no connections to hand off"},
    {"listen udp:*:1", 11, "listen: \"udp:*:1\" has no connections to"},
    {"listen unix-dgram:/a", 11, "listen: \"unix-dgram:/a\" has no conn"},
    {"listen tcp:[::ffff:127.0.0.1]:1", 11,
	"listen: \"tcp:[::ffff:127.0.0.1]:1\" is an IPv4 address in IPv6"},
    {"listen tcp:*:1\nv6only false", 12,
	"v6only: false cannot be combined with \"tcp:*:1\", which is two sockets"},
    {"listen tcp:127.0.0.1:1\nmailbox m", 12, "mailbox: \"m\" is relative"},
};

START_TEST(what_is_wrong_is_told_once)
{
	struct output out;

	run(&out, wrong[_i].text, 0);
	diagnostic_expect_only(&out.diagnostics, wrong[_i].line,
	    wrong[_i].message, wrong[_i].text);
	output_done(&out);
}
END_TEST

START_TEST(one_mistake_does_not_hide_the_next)
{
	struct output out;

	run(&out, "listen tcp:1\nbacklog x\nhandoff y\nsocket-mode 8\nlisten z",
	    1);
	diagnostic_expect(&out.diagnostics, 11, "listen: \"tcp:1\"", "listen");
	diagnostic_expect(&out.diagnostics, 12, "backlog: \"x\"", "backlog");
	diagnostic_expect(&out.diagnostics, 13, "handoff: \"y\"", "handoff");
	diagnostic_expect(
	    &out.diagnostics, 14, "socket-mode: \"8\"", "socket-mode");
	diagnostic_expect(&out.diagnostics, 15, "listen: \"z\"", "listen");
	ck_assert_uint_eq(out.diagnostics.errors, 5);
	output_done(&out);
}
END_TEST

START_TEST(a_message_may_fill_its_room)
{
	char text[2048] =
	    "listen tcp:127.0.0.1:1\nrefuse message\nrefuse-message ";
	size_t begin = strlen(text);
	struct output out;

	memset(text + begin, 'x', RECORD_MESSAGE_SIZE);
	ck_assert_uint_eq(
	    good(&out, text, 1)->refuse_length, RECORD_MESSAGE_SIZE);
	output_done(&out);
	text[begin + RECORD_MESSAGE_SIZE] = 'x';
	run(&out, text, 0);
	diagnostic_expect_only(&out.diagnostics, 13,
	    "refuse-message: 1025 bytes: expected 1 to 1024", "message");
	output_done(&out);
}
END_TEST

START_TEST(endpoints_count_within_their_listener)
{
	struct output out;

	good(&out,
	    "listen tcp:*:1\nlisten tcp:127.0.0.1:2\nlisten unix-stream:/s", 4);
	ck_assert_str_eq(
	    out.sockets[0].u.endpoint.socket.name, "tcp:0.0.0.0:1");
	ck_assert_str_eq(out.sockets[1].u.endpoint.socket.name, "tcp:[::]:1");
	ck_assert_uint_eq(out.at[1].line, 11);
	ck_assert_uint_eq(out.at[2].line, 12);
	ck_assert_str_eq(
	    out.sockets[3].u.endpoint.socket.name, "unix-stream:/s");
	output_done(&out);
}
END_TEST

/* Without a network even 127.0.0.1 cannot be reached, but it is there. */
static const struct {
	const char *text;
	int partial;
	uint32_t optional; /* a bit for each endpoint */
	const char *warning;
} optional[] = {
    {"listen tcp:*:1", 1, 3, NULL},
    {"listen tcp:127.0.0.1:1\nlisten unix-stream:@a", 0, 0, NULL},
    {"listen tcp:127.0.0.1:1\nlisten unix-stream:@a", 1, 3, NULL},
    {"listen tcp:203.0.113.1:1\nlisten tcp:127.0.0.1:1", 0, 0, NULL},
    {"listen tcp:[fe80::1%no-such]:1\nlisten tcp:127.0.0.1:1", 1, 3,
	"there is no interface \"no-such\""},
};

START_TEST(an_endpoint_is_optional_only_if_the_others_may_start_without_it)
{
	struct output out;
	const struct diagnostic *told;
	uint32_t marked = 0;

	run(&out, optional[_i].text, optional[_i].partial);
	ck_assert_uint_eq(out.diagnostics.errors, 0);
	ck_assert_uint_eq(out.diagnostics.count, optional[_i].warning != NULL);
	told = out.diagnostics.items;
	if (optional[_i].warning != NULL)
		ck_assert_ptr_nonnull(strstr(told->text, optional[_i].warning));
	ck_assert_uint_eq(out.count, 2);
	for (size_t i = 0; i < out.count; i++) {
		ck_assert_ptr_null(record_check(&out.sockets[i]));
		if (out.sockets[i].u.socket.flags & RECORD_OPTIONAL)
			marked |= UINT32_C(1) << i;
	}
	ck_assert_uint_eq(marked, optional[_i].optional);
	output_done(&out);
}
END_TEST

START_TEST(an_unknown_interface_may_be_there_the_next_time)
{
	struct output out;

	run(&out, "listen tcp:[fe80::1%no-such]:1", 0);
	ck_assert_uint_eq(out.diagnostics.errors, 1);
	ck_assert_uint_eq(out.diagnostics.passing, 1);
	output_done(&out);
}
END_TEST

UNIT_SUITE(listener_section)
{
	TCase *tc = unit_case(suite, "listener");

	tcase_add_test(tc, what_is_not_given_has_its_default);
	tcase_add_test(tc, what_is_given_is_in_the_endpoint);
	tcase_add_loop_test(tc,
	    an_endpoint_is_optional_only_if_the_others_may_start_without_it, 0,
	    (int)UNIT_COUNT(optional));
	tcase_add_test(tc, an_unknown_interface_may_be_there_the_next_time);
	tcase_add_loop_test(tc, an_endpoint_has_the_flags_that_concern_it, 0,
	    (int)UNIT_COUNT(flags));
	tcase_add_test(tc, a_listener_without_a_mailbox_has_the_default_one);
	tcase_add_test(tc, a_socket_file_has_a_mode_and_no_other_socket_has);
	tcase_add_loop_test(
	    tc, what_is_wrong_is_told_once, 0, (int)UNIT_COUNT(wrong));
	tcase_add_test(tc, one_mistake_does_not_hide_the_next);
	tcase_add_test(tc, a_message_may_fill_its_room);
	tcase_add_test(tc, endpoints_count_within_their_listener);
}
