/* SPDX-License-Identifier: ISC */
/*
 * The whole config reader without its process: from a file or a command line
 * to endpoints or diagnostics.
 */
#include "fixture/diagnostic.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "conf/reader.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Gives a descriptor of a new file with those bytes, at its beginning. */
static int
file_of(const char *bytes, size_t size)
{
	int fd = open(
	    unit_path("conf"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Runs the reader with fd as its standard input. */
static void
run(struct output *out, struct tree *tree, int fd, struct options *options)
{
	int saved = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);

	ck_assert_int_ne(saved, -1);
	ck_assert_int_eq(dup2(fd, STDIN_FILENO), STDIN_FILENO);
	output_init(out);
	ck_assert_int_eq(reader_run(out, tree, options), 0);
	ck_assert_int_eq(dup2(saved, STDIN_FILENO), STDIN_FILENO);
	fd_close(saved);
	fd_close(fd);
}

/* Runs it on a text, as root (owner 9 may be any user) or not. */
static void
run_text(struct output *out, const char *text, int privileged)
{
	struct options options = {
	    .file = "conf", .privileged = privileged, .rundir = "/nowhere/run"};
	struct tree tree;

	tree_init(&tree);
	run(out, &tree, file_of(text, strlen(text)), &options);
	tree_done(&tree);
}

/* Returns the socket of that name in line, which must exist. */
static const struct record *
find_record(const struct output *out, const char *name, unsigned int line)
{
	for (size_t i = 0; i < out->count; i++)
		if (strcmp(out->sockets[i].u.socket.name, name) == 0) {
			ck_assert_uint_eq(out->at[i].line, line);
			return &out->sockets[i];
		}
	ck_abort_msg("there is no socket %s", name);
	return NULL;
}

static const struct record_endpoint *
find(const struct output *out, const char *name, unsigned int line)
{
	return &find_record(out, name, line)->u.endpoint;
}

START_TEST(listeners_become_endpoints)
{
	struct output out;
	const struct record_endpoint *e;

	run_text(&out,
	    "# a comment\nuser = 60590\nlistener a {\n"
	    "listen = tcp:127.0.0.1:1\nowner = 9 }\n"
	    "listener b { owner = 9 listen = {\nunix-stream:@x,\n"
	    "tcp:127.0.0.1:2 } }\n",
	    1);
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "listeners");
	e = find(&out, "tcp:127.0.0.1:1", 4);
	ck_assert_str_eq(e->listener, "a");
	ck_assert_str_eq(e->mailbox, "/nowhere/run/mailbox/a/");
	ck_assert_uint_eq(e->owner, 9);
	ck_assert_uint_eq(e->count, 1);
	e = find(&out, "tcp:127.0.0.1:2", 8);
	ck_assert_str_eq(e->listener, "b");
	ck_assert_uint_eq(e->index, 1);
	ck_assert_uint_eq(find(&out, "unix-stream:@x", 7)->index, 0);
	ck_assert_uint_eq(out.settings.engine_uid, 60590);
	output_done(&out);
}
END_TEST

/* The mode decides who may connect; the record's owner and group decide what a
 * peer may do. */
START_TEST(the_control_socket_is_its_owners_and_its_groups)
{
	const int privileged = _i < 2;
	const struct record_control *control;
	const struct record *record;
	struct output out;
	char text[128];

	snprintf(text, sizeof(text), "%c control-group = %u\n%s",
	    _i % 2 == 1 ? ' ' : '#', (unsigned int)getegid(),
	    "listener a { owner = 9 listen = tcp:127.0.0.1:1 mailbox = /m/x }");
	run_text(&out, text, privileged);
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "control");
	record = find_record(&out, "unix-stream:/nowhere/run/control", 0);
	control = &record->u.control;
	ck_assert_uint_eq(record->type, RECORD_CONTROL);
	ck_assert_uint_eq(control->socket.mode, _i % 2 == 1 ? 0660 : 0600);
	ck_assert_uint_eq(
	    control->socket.gid, _i % 2 == 1 ? getegid() : RECORD_NO_ID);
	ck_assert_uint_eq(control->socket.uid, RECORD_NO_ID);
	ck_assert_uint_eq(control->owner, privileged ? RECORD_NO_ID : getuid());
	ck_assert_ptr_null(record_check(record));
	record =
	    find_record(&out, "unix-seqpacket:/nowhere/run/rendezvous.0", 0);
	ck_assert_uint_eq(record->type, RECORD_RENDEZVOUS);
	ck_assert_ptr_null(record_check(record));
	ck_assert_uint_eq(out.count, 3);
	output_done(&out);
}
END_TEST

START_TEST(times_of_the_top_level_are_settings)
{
	struct output out;

	run_text(
	    &out, "listener a { owner = 9 listen = tcp:127.0.0.1:1 }\n", 1);
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "no times");
	ck_assert_uint_eq(out.settings.drain_timeout_s, 10);
	ck_assert_uint_eq(out.orphan_timeout_s, 300);
	ck_assert_uint_eq(out.settings.watchdog_s, 10);
	output_done(&out);
	run_text(&out,
	    "drain-timeout = 11\norphan-timeout = 12\nwatchdog = 13\n"
	    "listener a { owner = 9 listen = tcp:127.0.0.1:1 }\n",
	    1);
	diagnostic_expect_only(&out.diagnostics, 0, NULL, "times");
	ck_assert_uint_eq(out.settings.drain_timeout_s, 11);
	ck_assert_uint_eq(out.orphan_timeout_s, 12);
	ck_assert_uint_eq(out.settings.watchdog_s, 13);
	ck_assert_uint_eq(
	    find_record(&out, "unix-seqpacket:/nowhere/run/rendezvous.0", 0)
		->u.rendezvous.orphan_timeout_s,
	    12);
	output_done(&out);
}
END_TEST

static const struct {
	const char *text;
	unsigned int line;
	const char *message;
} texts[] = {
    {"", 1, "there is no listener: expected listener NAME"},
    {"# nothing\nuser = 60590\n", 1, "there is no listener: expected"},
    {"listener a { owner = 9 listen = tcp:127.0.0.1:1\n", 1,
	"the section that begins here is not closed"},
    {"\n/* user = 60590", 2, "a comment begins here and does not end"},
    {"listener a { owner = 9 listen = tcp:127.0.0.1:1 }\nuser = 0", 2,
	"user: \"0\": engine and config reader need an unprivileged"},
    {"listener a { owner = 9 listen = tcp:127.0.0.1:1 }\n"
     "listener a { owner = 9 listen = tcp:127.0.0.1:2 }",
	2, "listener: \"a\" is already the name of the listener in line 1"},
    {"listener a { owner = 9 listen = tcp:127.0.0.1:1 }\n"
     "listener b { owner = 9 listen = tcp:127.0.0.1:1 }",
	2, "listen: \"tcp:127.0.0.1:1\" overlaps"},
    {"listener a { owner = 9 mailbox = /m/ listen = tcp:127.0.0.1:1 }\n"
     "listener b { owner = 10 mailbox = /m/ listen = tcp:127.0.0.1:2 }",
	2, "mailbox: \"/m/\" is also that of listener \"a\" in line 1, with"},
    {"listener a { listen = tcp:127.0.0.1:1 }", 1, "owner: not given"},
};

START_TEST(each_step_tells_what_it_finds)
{
	struct output out;

	run_text(&out, texts[_i].text, 1);
	diagnostic_expect_only(&out.diagnostics, texts[_i].line,
	    texts[_i].message, texts[_i].text);
	output_done(&out);
}
END_TEST

START_TEST(one_run_tells_of_all_steps)
{
	struct output out;

	run_text(&out,
	    "user = 0\nlistener .a { owner = 9 listen = tcp:127.0.0.1:1 }\n"
	    "listener b { owner = 9 backlog = 0 listen = tcp:127.0.0.1:1 }\n"
	    "listener c { owner = 9 listen = x",
	    1);
	diagnostic_expect(&out.diagnostics, 1, "user: \"0\"", "settings");
	diagnostic_expect(&out.diagnostics, 2,
	    "listener: \".a\" is not a valid name", "names");
	diagnostic_expect(&out.diagnostics, 3, "backlog: \"0\"", "listener");
	diagnostic_expect(&out.diagnostics, 3,
	    "listen: \"tcp:127.0.0.1:1\" overlaps", "overlap");
	diagnostic_expect(
	    &out.diagnostics, 4, "the section that begins here", "parse");
	diagnostic_expect(&out.diagnostics, 4, "listen: \"x\"",
	    "what was parsed still counts");
	output_done(&out);
}
END_TEST

START_TEST(a_way_that_is_shut_is_a_warning)
{
	char text[256];
	struct output out;

	unit_directory("shut", 0700);
	snprintf(text, sizeof(text),
	    "listener a { owner = 9\nmailbox = %s\nlisten = tcp:127.0.0.1:1 }",
	    unit_path("shut/box"));
	run_text(&out, text, 1);
	diagnostic_expect_only(&out.diagnostics, 2,
	    "warning: mailbox: the engine cannot search", text);
	find(&out, "tcp:127.0.0.1:1", 3);
	output_done(&out);
}
END_TEST

START_TEST(a_configuration_that_is_no_file_is_told_of)
{
	struct options options = {
	    .file = "conf", .privileged = 1, .rundir = "/nowhere"};
	struct output out;
	struct tree tree;

	tree_init(&tree);
	run(&out, &tree, open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC),
	    &options);
	diagnostic_expect_only(&out.diagnostics, 0,
	    "this is a directory: expected a regular", "/");
	output_done(&out);
	run(&out, &tree, open("/dev/null", O_RDONLY | O_CLOEXEC), &options);
	diagnostic_expect_only(&out.diagnostics, 0,
	    "this is a FIFO or a device: expected", "null");
	output_done(&out);
	tree_done(&tree);
}
END_TEST

static const struct {
	const char *listen[2];
	uint32_t handoff;
	const char *message;
} lines[] = {
    {{"tcp:127.0.0.1:1", NULL}, RECORD_CONNECTION, NULL},
    {{"udp:127.0.0.1:1", NULL}, RECORD_LISTENER, NULL},
    {{"unix-dgram:@a", "udp:127.0.0.1:1"}, RECORD_LISTENER, NULL},
    {{"unix-dgram:@a", "tcp:127.0.0.1:1"}, RECORD_CONNECTION,
	"listen: \"unix-dgram:@a\" has no connections to hand off"},
};

START_TEST(a_command_line_is_a_listener_too)
{
	struct options options = {
	    .file = "conf", .rundir = "/nowhere", .mailbox = "./box"};
	struct output out;
	struct tree tree;
	char expected[256];

	ck_assert_int_eq(chdir(unit_directory("here", 0711)), 0);
	snprintf(expected, sizeof(expected), "%s", unit_path("here/box"));
	tree_init(&tree);
	options.listener = tree_add(&tree, "default", AT_LINE(0));
	for (size_t i = 0; i < 2 && lines[_i].listen[i] != NULL; i++)
		ck_assert_int_eq(section_add(options.listener, KEY_LISTEN,
				     lines[_i].listen[i], AT_LINE(0)),
		    0);
	run(&out, &tree, open("/dev/null", O_RDONLY | O_CLOEXEC), &options);
	diagnostic_expect_only(
	    &out.diagnostics, 0, lines[_i].message, lines[_i].listen[0]);
	ck_assert_uint_eq(
	    find(&out, lines[_i].listen[0], 0)->handoff, lines[_i].handoff);
	ck_assert_str_eq(find(&out, lines[_i].listen[0], 0)->mailbox, expected);
	ck_assert_uint_eq(find(&out, lines[_i].listen[0], 0)->owner, getuid());
	output_done(&out);
	tree_done(&tree);
}
END_TEST

/* Nobody finds an engine in a run directory that brokerd made for itself. */
START_TEST(an_engine_in_a_private_run_directory_waits_for_no_monitor)
{
	struct options options = {.file = "command line",
	    .rundir = "/nowhere",
	    .mailbox = "/m/box",
	    .private = _i};
	struct output out;
	struct tree tree;

	tree_init(&tree);
	options.listener = tree_add(&tree, "default", LOCATION_NONE);
	ck_assert_int_eq(section_add(options.listener, KEY_LISTEN,
			     "tcp:127.0.0.1:1", LOCATION_NONE),
	    0);
	run(&out, &tree, open("/dev/null", O_RDONLY | O_CLOEXEC), &options);
	ck_assert_uint_eq(out.orphan_timeout_s, _i ? 0 : 300);
	output_done(&out);
	tree_done(&tree);
}
END_TEST

START_TEST(a_current_directory_that_is_gone_is_told_of)
{
	struct options options = {
	    .file = "conf", .rundir = "/nowhere", .mailbox = "box"};
	struct output out;
	struct tree tree;

	ck_assert_int_eq(chdir(unit_directory("gone", 0755)), 0);
	ck_assert_int_eq(rmdir(unit_path("gone")), 0);
	tree_init(&tree);
	options.listener = tree_add(&tree, "default", AT_LINE(0));
	section_add(
	    options.listener, KEY_LISTEN, "tcp:127.0.0.1:1", AT_LINE(0));
	run(&out, &tree, open("/dev/null", O_RDONLY | O_CLOEXEC), &options);
	diagnostic_expect(&out.diagnostics, 0,
	    "mailbox: the current directory is not known", "m");
	output_done(&out);
	tree_done(&tree);
}
END_TEST

UNIT_SUITE(reader)
{
	TCase *tc = unit_case(suite, "reader");

	tcase_add_test(tc, listeners_become_endpoints);
	tcase_add_test(tc, times_of_the_top_level_are_settings);
	tcase_add_loop_test(
	    tc, the_control_socket_is_its_owners_and_its_groups, 0, 4);
	tcase_add_loop_test(
	    tc, each_step_tells_what_it_finds, 0, (int)UNIT_COUNT(texts));
	tcase_add_test(tc, one_run_tells_of_all_steps);
	tcase_add_test(tc, a_way_that_is_shut_is_a_warning);
	tcase_add_test(tc, a_configuration_that_is_no_file_is_told_of);
	tcase_add_loop_test(
	    tc, a_command_line_is_a_listener_too, 0, (int)UNIT_COUNT(lines));
	tcase_add_loop_test(tc,
	    an_engine_in_a_private_run_directory_waits_for_no_monitor, 0, 2);
	tcase_add_test(tc, a_current_directory_that_is_gone_is_told_of);
}
