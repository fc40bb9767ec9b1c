/* SPDX-License-Identifier: ISC */
/*
 * Socket files: the directories that they may be in, their mode and owner, and
 * that only our own are removed.  Each test runs with the capabilities of a
 * monitor; as an ordinary user without any.
 */
#include "fixture/monitor_rights.h"
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/path.h"
#include "monitor/privilege.h"

#include <sys/fsuid.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Binds a valid record. */
static void
bind_well(struct endpoint *endpoint, const struct record *record)
{
	const char *wrong;

	*endpoint = (struct endpoint){.record = record, .fd = -1};
	ck_assert_ptr_null(record_check(record));
	wrong = endpoint_bind(endpoint);
	ck_assert_msg(wrong == NULL, "%s: %s", record->u.socket.name, wrong);
}

/* The path of a record's socket. */
static const char *
path_of(const struct record *record)
{
	return record->u.socket.name + strlen("unix:");
}

static int
is_there(const struct record *record)
{
	struct stat st;

	return lstat(path_of(record), &st) == 0;
}

static void
is_file(const struct record *record, mode_t mode, uid_t uid, gid_t gid)
{
	struct stat st;

	ck_assert_int_eq(lstat(path_of(record), &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, mode);
	ck_assert_uint_eq(st.st_uid, uid);
	ck_assert_uint_eq(st.st_gid, gid);
}

static const mode_t modes[] = {0666, 0600, 0620, 0777, 0000};

START_TEST(the_file_has_its_mode_whatever_the_umask)
{
	static const mode_t masks[] = {0, 077, 0777};
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint;

	record.u.socket.mode = modes[_i];
	for (size_t i = 0; i < UNIT_COUNT(masks); i++) {
		umask(masks[i]);
		bind_well(&endpoint, &record);
		is_file(&record, modes[_i], geteuid(), getegid());
		endpoint_close(&endpoint, ENDPOINT_STOP);
	}
}
END_TEST

START_TEST(the_file_is_born_for_its_owner_alone)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint;
	struct stat st;

	bind_well(&endpoint, &record);
	/* The umask for bind(2), before the file gets its mode. */
	ck_assert_int_eq(fstat(endpoint.fd, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

static const struct {
	uint32_t uid, gid; /* asked for */
	uint32_t expected_uid, expected_gid;
} owners[] = {
    {RECORD_NO_ID, RECORD_NO_ID, 0, 0},
    {MONITOR_RIGHTS_USER, RECORD_NO_ID, MONITOR_RIGHTS_USER, 0},
    {RECORD_NO_ID, MONITOR_RIGHTS_GROUP, 0, MONITOR_RIGHTS_GROUP},
    {MONITOR_RIGHTS_USER, MONITOR_RIGHTS_GROUP, MONITOR_RIGHTS_USER,
	MONITOR_RIGHTS_GROUP},
};

START_TEST(the_file_has_its_owner_and_group)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint;

	if (!monitor_rights_is_root())
		return;
	record.u.socket.mode = 0640;
	record.u.socket.uid = owners[_i].uid;
	record.u.socket.gid = owners[_i].gid;
	bind_well(&endpoint, &record);
	is_file(
	    &record, 0640, owners[_i].expected_uid, owners[_i].expected_gid);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert(!is_there(&record));
}
END_TEST

/* In the user's directory, which may pass on its group. */
START_TEST(a_file_without_a_group_has_its_directorys_or_ours)
{
	struct record record;
	struct endpoint endpoint;

	if (!monitor_rights_is_root())
		return;
	monitor_rights_directory("theirs", _i == 0 ? 0755 : 02755);
	record = record_sample_unix(RECORD_UNIX_STREAM, unit_path("theirs/s"));
	record.u.socket.uid = MONITOR_RIGHTS_USER;
	record.u.socket.gid = RECORD_NO_ID;
	record.u.socket.mode = 0660;
	bind_well(&endpoint, &record);
	is_file(&record, 0660, MONITOR_RIGHTS_USER,
	    _i == 0 ? 0 : MONITOR_RIGHTS_GROUP);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert(!is_there(&record));
}
END_TEST

/* Only their user may search these directories. */
static const char *const private_paths[] = {"theirs/s", "theirs/deep/s"};

START_TEST(the_socket_may_be_in_its_users_private_directory)
{
	struct record record;
	struct endpoint endpoint;

	if (!monitor_rights_is_root())
		return;
	unit_directory("theirs", 0700);
	monitor_rights_directory("theirs/deep", 0700);
	ck_assert_int_eq(chown(unit_path("theirs"), MONITOR_RIGHTS_USER,
			     MONITOR_RIGHTS_GROUP),
	    0);
	record = record_sample_unix(
	    RECORD_UNIX_STREAM, unit_path(private_paths[_i]));
	record.u.socket.uid = MONITOR_RIGHTS_USER;
	record.u.socket.gid = MONITOR_RIGHTS_GROUP;
	record.u.socket.mode = 0600;
	bind_well(&endpoint, &record);
	ck_assert_int_eq(setfsuid(MONITOR_RIGHTS_USER), 0);
	is_file(&record, 0600, MONITOR_RIGHTS_USER, MONITOR_RIGHTS_GROUP);
	setfsuid(0);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(setfsuid(MONITOR_RIGHTS_USER), 0);
	ck_assert(!is_there(&record));
	ck_assert_int_eq(errno, ENOENT);
	setfsuid(0);
}
END_TEST

START_TEST(a_file_that_cannot_be_given_away_is_removed)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("d/s"));
	struct endpoint endpoint = {.record = &record, .fd = -1};

	if (geteuid() != 0) {
		unit_directory("d", 0755);
	} else {
		monitor_rights_directory("d", 0755);
		ck_assert_int_eq(
		    privilege_drop(MONITOR_RIGHTS_USER, MONITOR_RIGHTS_GROUP),
		    0);
	}
	record.u.socket.gid = 0;
	ck_assert_pstr_eq(endpoint_bind(&endpoint), strerror(EPERM));
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(endpoint.fd, -1);
	ck_assert(!is_there(&record));
}
END_TEST

START_TEST(the_longest_path_is_bound)
{
	char path[RECORD_PATH_SIZE];
	struct record record;
	struct endpoint endpoint;
	size_t start = strlen(unit_path("a"));

	memset(path, 'a', sizeof(path));
	memcpy(path, unit_path("a"), start);
	path[sizeof(path) - 3] = '\0';
	ck_assert_int_eq(mkdir(path, 0700), 0);
	memcpy(path + sizeof(path) - 3, "/s", 3);
	record = record_sample_unix(RECORD_UNIX_STREAM, path);
	bind_well(&endpoint, &record);
	ck_assert_int_eq(access(path, F_OK), 0);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(access(path, F_OK), -1);
}
END_TEST

START_TEST(the_file_is_removed_only_when_that_is_wanted)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint;

	bind_well(&endpoint, &record);
	endpoint.shared = 1;
	errno = ENODATA;
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(errno, ENODATA);
	ck_assert_int_eq(endpoint.fd, -1);
	ck_assert(is_there(&record));
	endpoint.shared = 0;
	endpoint_close(&endpoint, ENDPOINT_STOP); /* no longer ours */
	ck_assert(is_there(&record));
	bind_well(&endpoint, &record);
	errno = ENODATA;
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(errno, ENODATA);
	ck_assert(!is_there(&record));
}
END_TEST

static void
make_socket(const char *path)
{
	fd_close(net_bind(path, SOCK_STREAM));
}

static void
make_file(const char *path)
{
	fd_close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static void
make_link(const char *path)
{
	ck_assert_int_eq(symlink(unit_path("moved"), path), 0);
}

static void (*const successors[])(const char *) = {
    make_socket, make_file, make_link};

/* Our socket exists under another name, which is not looked for either. */
START_TEST(what_has_taken_our_files_place_stays)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint;

	bind_well(&endpoint, &record);
	ck_assert_int_eq(rename(path_of(&record), unit_path("moved")), 0);
	successors[_i](path_of(&record));
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert(is_there(&record));
	ck_assert_int_eq(access(unit_path("moved"), F_OK), 0);
}
END_TEST

/* Their user replaced a directory of the path by a link after the check. */
START_TEST(a_file_of_another_user_is_not_given_away)
{
	struct record record;
	struct endpoint endpoint = {.record = &record, .fd = -1};

	if (!monitor_rights_is_root())
		return;
	unit_directory("theirs", 0755);
	record = record_sample_unix(RECORD_UNIX_STREAM, unit_path("theirs/s"));
	record.u.socket.uid = MONITOR_RIGHTS_USER;
	record.u.socket.mode = _i == 0 ? 0666 : 0600;
	make_socket(path_of(&record));
	ck_assert_int_eq(chmod(path_of(&record), 0600), 0);
	ck_assert_int_eq(chown(unit_path("theirs"), MONITOR_RIGHTS_USER,
			     MONITOR_RIGHTS_GROUP),
	    0);
	ck_assert_int_eq(path_find(&endpoint, NULL), 0);
	ck_assert_pstr_eq(path_bind(&endpoint, 1), strerror(ESTALE));
	is_file(&record, 0600, 0, 0);
}
END_TEST

START_TEST(a_file_that_cannot_be_removed_is_told)
{
	struct record record;
	struct endpoint endpoint;
	FILE *file;

	unit_directory("before", 0755);
	record = record_sample_unix(RECORD_UNIX_STREAM, unit_path("before/s"));
	bind_well(&endpoint, &record);
	ck_assert_int_eq(rename(unit_path("before"), unit_path("after")), 0);
	file = fopen(unit_path("before"), "we");
	ck_assert_ptr_nonnull(file);
	fclose(file);
	errno = 0;
	ck_assert_int_eq(endpoint_close(&endpoint, ENDPOINT_STOP), ENOTDIR);
	ck_assert_int_eq(errno, 0);
}
END_TEST

UNIT_SUITE(path)
{
	TCase *tc = monitor_rights_case(suite, "path");

	tcase_add_loop_test(tc, the_file_has_its_mode_whatever_the_umask, 0,
	    (int)UNIT_COUNT(modes));
	tcase_add_test(tc, the_file_is_born_for_its_owner_alone);
	tcase_add_loop_test(
	    tc, a_file_without_a_group_has_its_directorys_or_ours, 0, 2);
	tcase_add_loop_test(
	    tc, the_file_has_its_owner_and_group, 0, (int)UNIT_COUNT(owners));
	tcase_add_loop_test(tc,
	    the_socket_may_be_in_its_users_private_directory, 0,
	    (int)UNIT_COUNT(private_paths));
	tcase_add_test(tc, a_file_that_cannot_be_given_away_is_removed);
	tcase_add_test(tc, the_longest_path_is_bound);
	tcase_add_test(tc, the_file_is_removed_only_when_that_is_wanted);
	tcase_add_test(tc, a_file_that_cannot_be_removed_is_told);
	tcase_add_loop_test(tc, what_has_taken_our_files_place_stays, 0,
	    (int)UNIT_COUNT(successors));
	tcase_add_loop_test(tc, a_file_of_another_user_is_not_given_away, 0, 2);
}
