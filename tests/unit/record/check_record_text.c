/* SPDX-License-Identifier: ISC */
/*
 * The texts of a record: every length, every character, and no NUL.
 */
#include "fixture/unit.h"

#include "fixture/record_sample.h"
#include "record/record.h"

#include <sys/un.h>

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The rules for all texts.  first lists the characters that a text may begin
 * with. */
static const struct {
	const char *name;
	size_t offset;
	size_t size;
	char first;
	const char *empty;
	const char *wrong;
} texts[] = {
    {"listener", offsetof(struct record, u.endpoint.listener),
	RECORD_LISTENER_SIZE, 'a', "listener's name", "listener's name"},
    {"name", offsetof(struct record, u.socket.name), RECORD_NAME_SIZE, 'a',
	NULL, "not printable"},
    {"mailbox", offsetof(struct record, u.endpoint.mailbox), RECORD_PATH_SIZE,
	'/', "a mailbox", "a mailbox"},
};

#define TEXTS ((int)UNIT_COUNT(texts))

/* A valid record with length bytes of text in that field. */
static char *
fill(struct record *record, int field, size_t length)
{
	char *text = (char *)record + texts[field].offset;

	*record = record_sample_inet(RECORD_TCP, "127.0.0.1", 80);
	memset(text, 0, texts[field].size);
	memset(text, 'a', length);
	if (length > 0)
		text[0] = texts[field].first;
	return text;
}

START_TEST(a_text_is_as_long_as_its_field_leaves_room_for_its_NUL)
{
	struct record record;

	for (size_t length = 1; length < texts[_i].size; length++) {
		fill(&record, _i, length);
		record_sample_check(&record, NULL, texts[_i].name);
	}
	fill(&record, _i, texts[_i].size);
	record_sample_check(&record, texts[_i].wrong, texts[_i].name);
	fill(&record, _i, 0);
	record_sample_check(&record, texts[_i].empty, texts[_i].name);
}
END_TEST

START_TEST(a_text_has_no_control_characters_anywhere)
{
	struct record record;

	for (size_t at = 0; at + 1 < texts[_i].size; at++)
		for (int c = 1; c < 0x80; c = c == 0x1f ? 0x7f : c + 1) {
			fill(&record, _i, texts[_i].size - 1)[at] = (char)c;
			record_sample_check(
			    &record, texts[_i].wrong, texts[_i].name);
		}
}
END_TEST

static const struct {
	const char *text;
	const char *wrong;
} mailboxes[] = {
    {"/", NULL},
    {"/run/pool/", NULL},
    {"/run/\xc3\xa4", NULL},
    {"run/a", "a mailbox"},
    {"@a", "a mailbox"},
    {" /a", "a mailbox"},
};

START_TEST(a_mailbox_is_an_absolute_path)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 80);

	snprintf(record.u.endpoint.mailbox, sizeof(record.u.endpoint.mailbox),
	    "%s", mailboxes[_i].text);
	record_sample_check(&record, mailboxes[_i].wrong, mailboxes[_i].text);
}
END_TEST

#define TEN "0123456789"

/* The forms that the config reader prints, and the longest ones. */
static const char *const names[] = {"tcp:127.0.0.1:80",
    "udp:255.255.255.255:65535", "tcp:[::]:1", "tcp:[::ffff:1.2.3.4]:1",
    "udp:[fe80:1111:2222:3333:4444:5555:6666:7777%fifteen-letters]:65535",
    "unix-stream:/run/\xc3\xa4",
    "unix-seqpacket:@" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "0123456"};

START_TEST(an_address_as_it_is_printed_passes_as_a_name)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 80);

	ck_assert_uint_lt(strlen(names[_i]), sizeof(record.u.socket.name));
	snprintf(record.u.socket.name, sizeof(record.u.socket.name), "%s",
	    names[_i]);
	record_sample_check(&record, NULL, names[_i]);
}
END_TEST

/* Each byte at the beginning, inside and at the end.  isalnum(3) depends on
 * the locale, which is "C" here. */
START_TEST(a_listener_has_a_name_of_few_characters)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 80);

	for (int c = 1; c < 256; c++) {
		int within = isalnum(c) || c == '.' || c == '_' || c == '-';
		const char names_with_c[][4] = {{(char)c, '\0'},
		    {(char)c, 'a', '\0'}, {'a', (char)c, 'a', '\0'},
		    {'a', (char)c, '\0'}};

		for (int i = 0; i < 4; i++) {
			int fits = within && (c != '.' || i > 1);

			ck_assert_msg(
			    record_is_listener_name(names_with_c[i]) == fits,
			    "byte %d in place %d", c, i);
			memcpy(record.u.endpoint.listener, names_with_c[i], 4);
			record_sample_check(&record,
			    fits ? NULL : "listener's name", "in a record");
		}
	}
}
END_TEST

START_TEST(a_listener_has_a_name_of_1_to_63_characters)
{
	char name[RECORD_LISTENER_SIZE + 2] = "";

	for (size_t length = 0; length + 1 < sizeof(name); length++) {
		ck_assert_int_eq(
		    record_is_listener_name(name), length >= 1 && length <= 63);
		name[length] = 'a';
	}
}
END_TEST

/* Changes one byte of a valid record after another, by xorshift64 and so
 * always in the same way.  Records that still pass end all their texts with a
 * NUL. */
START_TEST(no_byte_that_is_spoiled_lets_a_text_run_over)
{
	struct record record;
	uint64_t state = 0x9e3779b97f4a7c15U;
	int refused = 0;

	for (size_t at = 0; at < 8 * sizeof(record); at++) {
		record = record_sample_unix(RECORD_UNIX_STREAM, "/run/a");
		memset(record.u.socket.name, 'a',
		    sizeof(record.u.socket.name) - 1);
		memset(record.u.endpoint.mailbox, '/',
		    sizeof(record.u.endpoint.mailbox) - 1);
		memset(record.u.endpoint.listener, 'a',
		    sizeof(record.u.endpoint.listener) - 1);
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		((unsigned char *)&record)[at % sizeof(record)] =
		    (unsigned char)state;
		if (record_check(&record) != NULL) {
			refused++;
			continue;
		}
		for (int i = 0; i < TEXTS; i++)
			ck_assert_ptr_nonnull(
			    memchr((char *)&record + texts[i].offset, 0,
				texts[i].size));
		ck_assert_uint_le(
		    record.u.endpoint.refuse_length, RECORD_MESSAGE_SIZE);
		ck_assert_int_ne(record_socket_type(record.u.socket.kind), -1);
		ck_assert_uint_le(
		    record.u.socket.address_length, sizeof(struct sockaddr_un));
	}
	ck_assert_int_gt(refused, 0);
}
END_TEST

UNIT_SUITE(record_text)
{
	TCase *tc = unit_case(suite, "text");

	tcase_add_loop_test(tc,
	    a_text_is_as_long_as_its_field_leaves_room_for_its_NUL, 0, TEXTS);
	tcase_add_loop_test(
	    tc, a_text_has_no_control_characters_anywhere, 0, TEXTS);
	tcase_add_loop_test(
	    tc, a_mailbox_is_an_absolute_path, 0, (int)UNIT_COUNT(mailboxes));
	tcase_add_loop_test(tc, an_address_as_it_is_printed_passes_as_a_name, 0,
	    (int)UNIT_COUNT(names));
	tcase_add_test(tc, a_listener_has_a_name_of_few_characters);
	tcase_add_test(tc, a_listener_has_a_name_of_1_to_63_characters);
	tcase_add_test(tc, no_byte_that_is_spoiled_lets_a_text_run_over);
}
