/* SPDX-License-Identifier: ISC */
/*
 * Paths for fdrecv_open(): those that it refuses and why; existing files stay
 * as they are.
 */
#include "fixture/net.h"
#include "fixture/test_mailbox.h"
#include "fixture/unit.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	int error;
} obstacles[] = {
    {"file", EEXIST},
    {"fifo", EEXIST},
    {"link-to-file", ELOOP},
    {"link-to-nothing", ELOOP},
    {"link-to-dead", ELOOP},
    {"link-to-live", ELOOP},
    {"live", EADDRINUSE},
    {"connected", EADDRINUSE},
    {"stream", EADDRINUSE},
    {"seqpacket", EADDRINUSE},
    {"file/", ENOTDIR},
    {"live/", ENOTDIR},
    {"file/box", ENOTDIR},
    {"missing/", ENOENT},
    {"missing/box", ENOENT},
};

static void
make_obstacles(int fds[5])
{
	struct sockaddr_storage live = {0};
	socklen_t size = sizeof(live);

	fds[0] = open(unit_path("file"), O_CREAT | O_CLOEXEC | O_RDWR, 0644);
	ck_assert_int_eq(mkfifo(unit_path("fifo"), 0644), 0);
	ck_assert_int_eq(symlink("file", unit_path("link-to-file")), 0);
	ck_assert_int_eq(symlink("missing", unit_path("link-to-nothing")), 0);
	ck_assert_int_eq(symlink("dead", unit_path("link-to-dead")), 0);
	ck_assert_int_eq(symlink("live", unit_path("link-to-live")), 0);
	close(net_bind(unit_path("dead"), SOCK_DGRAM));
	fds[1] = net_bind(unit_path("live"), SOCK_DGRAM);
	fds[2] = net_bind(unit_path("connected"), SOCK_DGRAM);
	fds[3] = net_bind(unit_path("stream"), SOCK_STREAM);
	fds[4] = net_bind(unit_path("seqpacket"), SOCK_SEQPACKET);
	ck_assert_int_eq(
	    getsockname(fds[1], (struct sockaddr *)&live, &size), 0);
	ck_assert_int_eq(
	    connect(fds[2], (const struct sockaddr *)&live, size), 0);
}

START_TEST(what_is_no_dead_mailbox_is_left_alone)
{
	const char *path;
	struct stat before = {0}, after = {0};
	unsigned int count;
	int fds[5];

	make_obstacles(fds);
	path = unit_path(obstacles[_i].name);
	count = test_mailbox_names(unit_path(""));
	lstat(path, &before);
	test_mailbox_refused(path, obstacles[_i].error);
	lstat(path, &after);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(before.st_mode, after.st_mode);
	ck_assert_uint_eq(test_mailbox_names(unit_path("")), count);
	for (size_t i = 0; i < UNIT_COUNT(fds); i++)
		close(fds[i]);
}
END_TEST

START_TEST(an_empty_path_is_no_path)
{
	test_mailbox_refused("", ENOENT);
}
END_TEST

/* A directory whose path has that many bytes, inside this test's. */
static void
make_directory(char path[256], size_t length)
{
	size_t used = (size_t)snprintf(path, 256, "%s", unit_path("d"));

	ck_assert_uint_lt(used, length);
	memset(path + used, 'd', length - used);
	path[length] = '\0';
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

/* A name of so many bytes (0: of a pool) in a directory of so many bytes. */
static const struct {
	size_t directory;
	size_t name;
	int fits;
} lengths[] = {
    {50, 56, 1},  /* 107 bytes with the slash */
    {50, 57, 0},  /* 108 */
    {50, 120, 0}, /* longer than any address */
    {90, 1, 1},   /* 107 bytes with the temporary name */
    {91, 1, 0},
    {83, 0, 1}, /* 107 bytes with the name in the pool */
    {84, 0, 0},
    {108, 0, 0},
};

START_TEST(a_path_has_room_for_all_its_names_or_is_refused)
{
	char path[256], directory[256];

	make_directory(directory, lengths[_i].directory);
	memcpy(path, directory, sizeof(path));
	if (lengths[_i].name != 0) {
		path[lengths[_i].directory] = '/';
		memset(path + lengths[_i].directory + 1, 'n', lengths[_i].name);
		path[lengths[_i].directory + 1 + lengths[_i].name] = '\0';
	}
	if (lengths[_i].fits)
		fdrecv_close(test_mailbox_at(path));
	else
		test_mailbox_refused(path, ENAMETOOLONG);
	ck_assert_uint_eq(test_mailbox_names(directory), 0);
}
END_TEST

START_TEST(a_path_may_be_relative)
{
	static const size_t relative[] = {107, 54, 1};
	char name[109];
	struct stat st;

	ck_assert_int_eq(chdir(unit_path("")), 0);
	memset(name, 'n', sizeof(name));
	name[108] = '\0';
	test_mailbox_refused(name, ENAMETOOLONG);
	for (size_t i = 0; i < UNIT_COUNT(relative); i++) {
		struct fdrecv *fdrecv;

		name[relative[i]] = '\0';
		fdrecv = test_mailbox_at(name);
		ck_assert_int_eq(lstat(name, &st), 0);
		ck_assert_uint_eq(test_mailbox_names("."), 1);
		fdrecv_close(fdrecv);
		ck_assert_uint_eq(test_mailbox_names("."), 0);
	}
	fdrecv_close(test_mailbox_at("."));
	ck_assert_uint_eq(test_mailbox_names("."), 0);
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

static void
open_without_permission(void *path)
{
	if (geteuid() == 0)
		unit_must(setresuid(60592, 60592, 60592) == 0);
	unit_must(fdrecv_open(path, NULL) == NULL);
	unit_must(errno == EACCES);
}

START_TEST(a_directory_that_may_not_be_written_to_is_an_error)
{
	char path[128];

	unit_directory("closed", 0555);
	snprintf(path, sizeof(path), "%s", unit_path("closed/box"));
	unit_in_child(open_without_permission, path);
	snprintf(path, sizeof(path), "%s", unit_path("closed/"));
	unit_in_child(open_without_permission, path);
}
END_TEST

UNIT_SUITE(fdrecv_path)
{
	TCase *tc = unit_case(suite, "fdrecv_path");

	tcase_add_loop_test(tc, what_is_no_dead_mailbox_is_left_alone, 0,
	    (int)UNIT_COUNT(obstacles));
	tcase_add_test(tc, an_empty_path_is_no_path);
	tcase_add_loop_test(tc, a_path_has_room_for_all_its_names_or_is_refused,
	    0, (int)UNIT_COUNT(lengths));
	tcase_add_test(tc, a_path_may_be_relative);
	tcase_add_test(tc, a_directory_that_may_not_be_written_to_is_an_error);
}
