/* SPDX-License-Identifier: ISC */
/*
 * What the monitor takes from a config reader, and what not.  The reader is
 * this program: it hands on as its table what the configuration file has.
 */
#include "fixture/net.h"
#include "fixture/probe.h"
#include "fixture/sample.h"
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

#define RECORDS 4 /* of a table that is right */

/* The reader: its own arguments come after -R and the directory, and it has
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

struct scene {
	struct record records[RECORDS + 1];
	size_t size; /* bytes of them that are in the file */
	struct setup setup;
	struct table table;
	int out[2];
	char text[2048]; /* the log */
};

static void
fill(struct scene *scene)
{
	struct record *r = scene->records;

	memset(scene, 0, sizeof(*scene));
	r[0].type = RECORD_HEADER;
	r[0].u.header = (struct record_header){.magic = RECORD_MAGIC,
	    .version = RECORD_VERSION,
	    .size = sizeof(struct record)};
	r[1].type = RECORD_SETTINGS;
	r[1].u.settings = (struct record_settings){.engine_uid = PROBE_UID,
	    .engine_gid = PROBE_GID,
	    .endpoint_count = 1};
	r[2].type = RECORD_ENDPOINT;
	r[2].u.endpoint = sample_inet(RECORD_TCP, "127.0.0.1", 8080);
	r[3].type = RECORD_ENDPOINT;
	r[3].u.endpoint = sample_unix(RECORD_UNIX_STREAM, "@unit-table");
	r[3].u.endpoint.owner = PROBE_UID + 1;
	r[4] = r[3];
	scene->size = RECORDS * sizeof(struct record);
}

static int
run(struct scene *scene)
{
	static char name[] = "brokerd";
	static char *argv[] = {name, NULL};
	const char *path = unit_path("table");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int status;

	unit_must(
	    write(fd, scene->records, scene->size) == (ssize_t)scene->size);
	fd_close(fd);
	probe_log(&scene->setup.log, scene->out);
	scene->setup.argc = 1;
	scene->setup.argv = argv;
	scene->setup.config = path;
	scene->setup.reader_program = probe_program();
	status = table_read(&scene->table, &scene->setup);
	probe_read(scene->out[0], scene->text, sizeof(scene->text));
	return status;
}

static void
right_body(void *argument)
{
	static struct scene scene;
	const struct table *table = &scene.table;

	(void)argument;
	probe_descriptors();
	fill(&scene);
	unit_must(run(&scene) == -1);
	unit_must(scene.text[0] == '\0');
	unit_must(table->record_count == RECORDS);
	unit_must(memcmp(table->records, scene.records, scene.size) == 0);
	unit_must(table->settings == &table->records[1].u.settings);
	unit_must(table->endpoint_count == 2);
	for (int i = 0; i < 2; i++) {
		unit_must(table->endpoints[i].record ==
		    &table->records[2 + i].u.endpoint);
		unit_must(table->endpoints[i].fd == -1);
		unit_must(table->endpoints[i].inode == 0);
	}
	table_done(&scene.table, ENDPOINT_STOP);
	unit_must(table->records == NULL && table->endpoint_count == 0);
}

START_TEST(a_table_that_is_right_is_taken_in_its_order)
{
	if (probe_is_for_all())
		unit_in_child(right_body, NULL);
}
END_TEST

static void
remark_body(void *argument)
{
	static struct scene scene;

	(void)argument;
	probe_descriptors();
	fill(&scene);
	scene.records[4].type = RECORD_DIAGNOSTIC;
	scene.size += sizeof(struct record);
	unit_must(run(&scene) == -1);
	unit_must(scene.table.record_count == RECORDS + 1);
	unit_must(scene.table.endpoint_count == 2);
}

START_TEST(a_remark_is_not_an_endpoint)
{
	if (probe_is_for_all())
		unit_in_child(remark_body, NULL);
}
END_TEST

#define OTHER_SIZE "its records have another size or number"
#define OTHER_VERSION "its records are of another version"
#define OUT_OF_PLACE "a record is out of place"
#define RECORD(i) ((i) * sizeof(struct record))
#define AT(i, member) (RECORD(i) + offsetof(struct record, member))

/* One word of the table is another: where, and what it is then; size bytes
 * are in the file. */
static const struct {
	size_t where;
	uint32_t word;
	size_t size;
	const char *why;
} wrongs[] = {
    {RECORD(4), RECORD_ENDPOINT, 0, OTHER_SIZE},
    {RECORD(4), RECORD_ENDPOINT, 1, OTHER_SIZE},
    {RECORD(4), RECORD_ENDPOINT, RECORD(4) - 1, OTHER_SIZE},
    {RECORD(4), RECORD_ENDPOINT, RECORD(4) + 1, OTHER_SIZE},
    {RECORD(0), RECORD_SETTINGS, RECORD(4), OTHER_VERSION},
    {AT(0, u.header.magic), RECORD_MAGIC + 1, RECORD(4), OTHER_VERSION},
    {AT(0, u.header.version), RECORD_VERSION + 1, RECORD(4), OTHER_VERSION},
    {AT(0, u.header.size), sizeof(struct record) - 1, RECORD(4), OTHER_VERSION},
    {RECORD(4), 0, RECORD(1), "there is no endpoint"},
    {RECORD(4), 0, RECORD(2), "there is no endpoint"},
    {RECORD(1), RECORD_ENDPOINT, RECORD(4), OUT_OF_PLACE},
    {RECORD(1), RECORD_DIAGNOSTIC, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), 0, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), RECORD_DIAGNOSTIC + 1, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), UINT32_MAX, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), RECORD_HEADER, RECORD(4), OUT_OF_PLACE},
    {RECORD(3), RECORD_SETTINGS, RECORD(4), OUT_OF_PLACE},
    {AT(2, u.endpoint.backlog), 0, RECORD(4),
	"a backlog and a window of 1 or more were expected"},
    {AT(3, u.endpoint.backlog), 0, RECORD(4),
	"a backlog and a window of 1 or more were expected"},
};

static void
wrong_body(void *argument)
{
	static struct scene scene;
	char why[256];
	int i = *(int *)argument;

	probe_descriptors();
	fill(&scene);
	memcpy((char *)scene.records + wrongs[i].where, &wrongs[i].word,
	    sizeof(wrongs[i].word));
	scene.size = wrongs[i].size;
	unit_must(run(&scene) == EX_OSERR);
	snprintf(why, sizeof(why), "test: config reader: unusable: %s\n",
	    wrongs[i].why);
	if (strcmp(scene.text, why) != 0)
		fprintf(stderr, "not %sbut %s", why, scene.text);
	unit_must(strcmp(scene.text, why) == 0);
	table_done(&scene.table, ENDPOINT_STOP);
}

START_TEST(a_table_that_is_wrong_in_one_place_is_refused)
{
	if (probe_is_for_all())
		unit_in_child(wrong_body, &_i);
}
END_TEST

/* Uids that meet matter to root alone. */
static const struct {
	uint32_t engine, engine_gid, owner;
} meetings[] = {
    {0, PROBE_GID, RECORD_NO_ID},
    {PROBE_UID, 0, RECORD_NO_ID},
    {CONF_UID, PROBE_GID, RECORD_NO_ID},
    {PROBE_UID, PROBE_GID, PROBE_UID},
    {PROBE_UID, PROBE_GID, CONF_UID},
    {PROBE_UID, PROBE_GID, 0},
};

static void
meeting_body(void *argument)
{
	static struct scene scene;
	int i = *(int *)argument;

	probe_descriptors();
	fill(&scene);
	scene.records[1].u.settings =
	    (struct record_settings){.engine_uid = meetings[i].engine,
		.engine_gid = meetings[i].engine_gid,
		.endpoint_count = 1};
	scene.records[3].u.endpoint.owner = meetings[i].owner;
	unit_must(run(&scene) == (geteuid() == 0 ? EX_OSERR : -1));
	unit_must((scene.text[0] == '\0') == (geteuid() != 0));
}

START_TEST(root_lets_no_two_roles_share_a_user)
{
	if (geteuid() == 0 && probe_not_root() != NULL)
		unit_skip(probe_not_root());
	else if (probe_is_for_all())
		unit_in_child(meeting_body, &_i);
}
END_TEST

/* The record has no rule against it, the kernel has. */
static void
twice_body(void *argument)
{
	static struct scene scene;
	char path[64], why[256];

	(void)argument;
	probe_descriptors();
	fill(&scene);
	snprintf(path, sizeof(path), "@unit-table-%d", (int)getpid());
	scene.records[2].u.endpoint = sample_unix(RECORD_UNIX_STREAM, path);
	scene.records[3].u.endpoint = scene.records[2].u.endpoint;
	unit_must(run(&scene) == -1);
	unit_must(table_bind(&scene.table, &scene.setup,
		      &scene.setup.inherited) == EX_OSERR);
	unit_must(scene.table.endpoints[0].fd != -1);
	unit_must(scene.table.endpoints[1].fd == -1);
	probe_read(scene.out[0], scene.text, sizeof(scene.text));
	snprintf(why, sizeof(why),
	    "test: listener www: cannot make unix:%s: the address is taken: "
	    "another program listens there, perhaps a worker that was lent "
	    "the socket\n",
	    path);
	unit_must(strcmp(scene.text, why) == 0);
	table_done(&scene.table, ENDPOINT_STOP);
	unit_must(net_reach(path, SOCK_STREAM) == -1);
}

START_TEST(an_endpoint_that_is_there_twice_is_refused)
{
	if (probe_is_for_all())
		unit_in_child(twice_body, NULL);
}
END_TEST

UNIT_CHILD(reader_main)

UNIT_SUITE(table)
{
	TCase *tc = unit_case(suite, "table");
	tcase_add_test(tc, a_table_that_is_right_is_taken_in_its_order);
	tcase_add_test(tc, a_remark_is_not_an_endpoint);
	tcase_add_loop_test(tc, a_table_that_is_wrong_in_one_place_is_refused,
	    0, UNIT_COUNT(wrongs));
	tcase_add_loop_test(
	    tc, root_lets_no_two_roles_share_a_user, 0, UNIT_COUNT(meetings));
	tcase_add_test(tc, an_endpoint_that_is_there_twice_is_refused);
}
