/* SPDX-License-Identifier: ISC */
/*
 * The tables of a config reader that the monitor accepts or refuses.  The
 * reader is this program: it writes the configuration file as its table.
 */
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/test_process.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "config.h"
#include "monitor/table.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define RECORDS 4 /* of a valid table */

/* The reader.  Its own arguments would follow -R and the directory; it has
 * none. */
static int
reader_main(int argc, char **argv)
{
	static char bytes[1 << 16];
	ssize_t n;

	if (argc != 3 || strcmp(argv[0], "brokerd-conf") != 0)
		return UNIT_NO_CHILD;
	while ((n = read(0, bytes, sizeof(bytes))) > 0)
		if (write(1, bytes, (size_t)n) != n)
			return EX_IOERR;
	return n == 0 ? EX_OK : EX_NOINPUT;
}

struct table_test {
	struct record records[RECORDS + 1];
	size_t size; /* bytes of them in the file */
	struct setup setup;
	struct table table;
	int out[2];
	char text[2048]; /* the log */
};

static void
fill(struct table_test *test)
{
	struct record *r = test->records;

	memset(test, 0, sizeof(*test));
	r[0].type = RECORD_HEADER;
	r[0].u.header = (struct record_header){.magic = RECORD_MAGIC,
	    .version = RECORD_VERSION,
	    .size = sizeof(struct record)};
	r[1].type = RECORD_SETTINGS;
	r[1].u.settings = (struct record_settings){
	    .engine_uid = TEST_PROCESS_UID, .engine_gid = TEST_PROCESS_GID};
	r[2].type = RECORD_ENDPOINT;
	r[2] = record_sample_inet(RECORD_TCP, "127.0.0.1", 8080);
	r[3].type = RECORD_ENDPOINT;
	r[3] = record_sample_unix(RECORD_UNIX_STREAM, "@unit-table");
	r[3].u.endpoint.owner = TEST_PROCESS_UID + 1;
	r[4] = r[3];
	test->size = RECORDS * sizeof(struct record);
}

static int
run(struct table_test *test)
{
	static char name[] = "brokerd";
	static char *argv[] = {name, NULL};
	const char *path = unit_path("table");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int status;

	unit_must(write(fd, test->records, test->size) == (ssize_t)test->size);
	fd_close(fd);
	test_process_log(&test->setup.log, test->out);
	test->setup.argc = 1;
	test->setup.argv = argv;
	test->setup.config = path;
	test->setup.reader_program = test_process_program();
	status = table_read(&test->table, &test->setup);
	test_process_read(test->out[0], test->text, sizeof(test->text));
	return status;
}

static void
right_body(void *argument)
{
	static struct table_test test;
	const struct table *table = &test.table;

	(void)argument;
	test_process_descriptors();
	fill(&test);
	unit_must(run(&test) == -1);
	unit_must(test.text[0] == '\0');
	unit_must(table->record_count == RECORDS);
	unit_must(memcmp(table->records, test.records, test.size) == 0);
	unit_must(table->settings == &table->records[1].u.settings);
	unit_must(table->endpoint_count == 2);
	for (int i = 0; i < 2; i++) {
		unit_must(table->endpoints[i].record == &table->records[2 + i]);
		unit_must(table->endpoints[i].fd == -1);
		unit_must(table->endpoints[i].inode == 0);
	}
	table_done(&test.table, ENDPOINT_STOP);
	unit_must(table->records == NULL && table->endpoint_count == 0);
}

START_TEST(a_table_that_is_right_is_taken_in_its_order)
{
	if (test_process_is_for_all())
		unit_in_child(right_body, NULL);
}
END_TEST

#define OTHER_SIZE "its records have another size or number"
#define OTHER_VERSION "its records are of another version"
#define OUT_OF_PLACE "a record is out of place"
#define RECORD(i) ((i) * sizeof(struct record))
#define AT(i, member) (RECORD(i) + offsetof(struct record, member))

/* One word of the table is changed: its place, its value, and the size of the
 * file. */
static const struct {
	size_t where;
	uint32_t word;
	size_t size;
	const char *reason;
} wrongs[] = {
    {RECORD(4), RECORD_ENDPOINT, 0, OTHER_SIZE},
    {RECORD(4), RECORD_ENDPOINT, 1, OTHER_SIZE},
    {RECORD(4), RECORD_ENDPOINT, RECORD(4) - 1, OTHER_SIZE},
    {RECORD(4), RECORD_ENDPOINT, RECORD(4) + 1, OTHER_SIZE},
    {RECORD(0), RECORD_SETTINGS, RECORD(4), OTHER_VERSION},
    {AT(0, u.header.magic), RECORD_MAGIC + 1, RECORD(4), OTHER_VERSION},
    {AT(0, u.header.version), RECORD_VERSION + 1, RECORD(4), OTHER_VERSION},
    {AT(0, u.header.size), sizeof(struct record) - 1, RECORD(4), OTHER_VERSION},
    {RECORD(4), 0, RECORD(1), OTHER_SIZE},
    {RECORD(4), 0, RECORD(2), OTHER_SIZE},
    {RECORD(1), RECORD_ENDPOINT, RECORD(4), OUT_OF_PLACE},
    {RECORD(1), RECORD_CONTROL, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), 0, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), RECORD_RULES + 1, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), UINT32_MAX, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), RECORD_HEADER, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), RECORD_SETTINGS, RECORD(4), OUT_OF_PLACE},
    {AT(2, u.socket.backlog), 0, RECORD(4),
	"a backlog of 1 or more was expected"},
    {AT(3, u.socket.backlog), 0, RECORD(4),
	"a backlog of 1 or more was expected"},
};

static void
wrong_body(void *argument)
{
	static struct table_test test;
	char reason[512];
	int i = *(int *)argument;

	test_process_descriptors();
	fill(&test);
	memcpy((char *)test.records + wrongs[i].where, &wrongs[i].word,
	    sizeof(wrongs[i].word));
	test.size = wrongs[i].size;
	unit_must(run(&test) == EX_OSERR);
	snprintf(reason, sizeof(reason), "test: config reader: unusable: %s\n",
	    wrongs[i].reason);
	if (strcmp(test.text, reason) != 0)
		fprintf(stderr, "not %sbut %s", reason, test.text);
	unit_must(strcmp(test.text, reason) == 0);
	table_done(&test.table, ENDPOINT_STOP);
}

START_TEST(a_table_that_is_wrong_in_one_place_is_refused)
{
	if (test_process_is_for_all())
		unit_in_child(wrong_body, &_i);
}
END_TEST

/* Equal uids matter to root only. */
static const struct {
	uint32_t engine, engine_gid, owner;
} meetings[] = {
    {0, TEST_PROCESS_GID, RECORD_NO_ID},
    {TEST_PROCESS_UID, 0, RECORD_NO_ID},
    {CONF_UID, TEST_PROCESS_GID, RECORD_NO_ID},
    {TEST_PROCESS_UID, TEST_PROCESS_GID, TEST_PROCESS_UID},
    {TEST_PROCESS_UID, TEST_PROCESS_GID, CONF_UID},
    {TEST_PROCESS_UID, TEST_PROCESS_GID, 0},
};

static void
meeting_body(void *argument)
{
	static struct table_test test;
	int i = *(int *)argument;

	test_process_descriptors();
	fill(&test);
	test.records[1].u.settings =
	    (struct record_settings){.engine_uid = meetings[i].engine,
		.engine_gid = meetings[i].engine_gid};
	test.records[3].u.endpoint.owner = meetings[i].owner;
	unit_must(run(&test) == (geteuid() == 0 ? EX_OSERR : -1));
	unit_must((test.text[0] == '\0') == (geteuid() != 0));
}

START_TEST(root_lets_no_two_roles_share_a_user)
{
	if (geteuid() == 0 && test_process_not_root() != NULL)
		unit_skip(test_process_not_root());
	else if (test_process_is_for_all())
		unit_in_child(meeting_body, &_i);
}
END_TEST

/* No rule for records forbids it, but the kernel does. */
static void
twice_body(void *argument)
{
	static struct table_test test;
	char path[64], reason[512];

	(void)argument;
	test_process_descriptors();
	fill(&test);
	snprintf(path, sizeof(path), "@unit-table-%d", (int)getpid());
	test.records[2] = record_sample_unix(RECORD_UNIX_STREAM, path);
	test.records[3] = test.records[2];
	unit_must(run(&test) == -1);
	unit_must(table_bind(&test.table, &test.setup, &test.setup.inherited) ==
	    EX_OSERR);
	unit_must(test.table.endpoints[0].fd != -1);
	unit_must(test.table.endpoints[1].fd == -1);
	test_process_read(test.out[0], test.text, sizeof(test.text));
	snprintf(reason, sizeof(reason),
	    "test: listener www: cannot make unix:%s: the address is taken: "
	    "another program listens there (it may have been lent the "
	    "socket), an engine still drains, or a passed socket differs "
	    "(v6only of [::])\n",
	    path);
	unit_must(strcmp(test.text, reason) == 0);
	table_done(&test.table, ENDPOINT_STOP);
	unit_must(net_reach(path, SOCK_STREAM) == -1);
}

START_TEST(an_endpoint_that_is_there_twice_is_refused)
{
	if (test_process_is_for_all())
		unit_in_child(twice_body, NULL);
}
END_TEST

UNIT_CHILD(reader_main)

UNIT_SUITE(table)
{
	TCase *tc = unit_case(suite, "table");
	tcase_add_test(tc, a_table_that_is_right_is_taken_in_its_order);
	tcase_add_loop_test(tc, a_table_that_is_wrong_in_one_place_is_refused,
	    0, UNIT_COUNT(wrongs));
	tcase_add_loop_test(
	    tc, root_lets_no_two_roles_share_a_user, 0, UNIT_COUNT(meetings));
	tcase_add_test(tc, an_endpoint_that_is_there_twice_is_refused);
}
