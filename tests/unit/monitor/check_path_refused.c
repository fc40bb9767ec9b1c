/* SPDX-License-Identifier: ISC */
/*
 * Files that may be in the place of a socket, and directories that it must not
 * be in.  A refused file stays, and the owner of a probed socket does not
 * notice.
 */
#include "fixture/monitor_rights.h"
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/endpoint.h"

#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define NO_SOCKET "not a socket, but a file, directory or symbolic link"
#define LIVE "a live socket is in its place: another program listens there"

/* Returns the message of endpoint_bind() about a socket at path, and removes
 * the socket if it made one. */
static const char *
refusal(const char *path)
{
	struct record record = record_sample_unix(RECORD_UNIX_STREAM, path);
	struct endpoint endpoint = {.record = &record, .fd = -1};
	const char *wrong;
	int saved;

	ck_assert_ptr_null(record_check(&record));
	wrong = endpoint_bind(&endpoint);
	saved = errno;
	if (wrong == NULL)
		endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(endpoint.fd, -1);
	errno = saved;
	return wrong;
}

static const int types[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET};

START_TEST(a_dead_socket_makes_room)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint = {.record = &record, .fd = -1};
	int client;

	fd_close(net_bind(unit_path("s"), types[_i]));
	ck_assert_pstr_eq(endpoint_bind(&endpoint), NULL);
	client = net_reach(unit_path("s"), SOCK_STREAM);
	ck_assert_int_ne(client, -1);
	fd_close(client);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

static const char *const left_behind[] = {"s", "theirs/s"};

START_TEST(a_dead_socket_of_its_users_makes_room)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path(left_behind[_i]));
	struct endpoint endpoint = {.record = &record, .fd = -1};

	if (!monitor_rights_is_root())
		return;
	monitor_rights_directory("theirs", 0700);
	record.u.socket.uid = MONITOR_RIGHTS_USER;
	record.u.socket.mode = 0600;
	ck_assert_pstr_eq(endpoint_bind(&endpoint), NULL);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_pstr_eq(endpoint_bind(&endpoint), NULL);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

START_TEST(a_live_socket_is_refused_and_does_not_notice)
{
	int live = net_bind(unit_path("s"), types[_i]), client;
	char byte;

	ck_assert_pstr_eq(refusal(unit_path("s")), LIVE);
	ck_assert_int_eq(errno, EADDRINUSE);
	ck_assert(!net_polls(live, POLLIN));
	client = net_reach(unit_path("s"), types[_i]);
	ck_assert_int_ne(client, -1);
	ck_assert_int_eq(recv(client, &byte, 1, MSG_DONTWAIT), -1);
	fd_close(client);
	fd_close(live);
}
END_TEST

START_TEST(a_socket_that_does_not_listen_yet_is_live)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	int live = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(
	    bind(live, (const struct sockaddr *)&record.u.socket.address,
		record.u.socket.address_length),
	    0);
	ck_assert_pstr_eq(refusal(unit_path("s")), LIVE);
	fd_close(live);
}
END_TEST

/* It accepts messages of its own peer only: EPERM for others. */
START_TEST(a_datagram_socket_with_a_peer_is_live)
{
	int peer = net_bind(unit_path("peer"), SOCK_DGRAM);
	int live = net_bind(unit_path("s"), SOCK_DGRAM);
	struct record record =
	    record_sample_unix(RECORD_UNIX_DGRAM, unit_path("peer"));

	ck_assert_int_eq(
	    connect(live, (const struct sockaddr *)&record.u.socket.address,
		record.u.socket.address_length),
	    0);
	ck_assert_int_eq(net_reach(unit_path("s"), SOCK_DGRAM), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_pstr_eq(refusal(unit_path("s")), LIVE);
	fd_close(live);
	fd_close(peer);
}
END_TEST

static void
make_file(const char *path)
{
	fd_close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
}

static void
make_directory(const char *path)
{
	ck_assert_int_eq(mkdir(path, 0755), 0);
}

/* It has no reader, so opening it for writing would block. */
static void
make_fifo(const char *path)
{
	ck_assert_int_eq(mkfifo(path, 0666), 0);
}

static void
make_link_to_nothing(const char *path)
{
	ck_assert_int_eq(symlink("nothing", path), 0);
}

static void
make_link_to_a_dead_socket(const char *path)
{
	fd_close(net_bind(unit_path("dead"), SOCK_STREAM));
	ck_assert_int_eq(symlink("dead", path), 0);
}

static const struct {
	void (*make)(const char *);
	const char *text;
} places[] = {
    {make_file, NO_SOCKET},
    {make_fifo, NO_SOCKET},
    {make_directory, NO_SOCKET},
    {make_link_to_nothing, NO_SOCKET},
    {make_link_to_a_dead_socket, NO_SOCKET},
};

START_TEST(what_is_no_socket_is_refused_and_stays)
{
	const char *path = unit_path("s");
	struct stat before, after;

	places[_i].make(path);
	ck_assert_int_eq(lstat(path, &before), 0);
	ck_assert_pstr_eq(refusal(path), places[_i].text);
	ck_assert_int_eq(errno, EEXIST);
	ck_assert_int_eq(lstat(path, &after), 0);
	ck_assert_uint_eq(before.st_ino, after.st_ino);
	ck_assert_uint_eq(before.st_mode, after.st_mode);
	ck_assert_int_eq(access(unit_path("nothing"), F_OK), -1);
}
END_TEST

/* Returns the message about a directory of the path, where nothing is made. */
static void
refused_way(const char *path, int error)
{
	const char *wrong = refusal(path);

	ck_assert_int_eq(errno, error);
	ck_assert_msg(wrong != NULL, "%s was bound", path);
	ck_assert_ptr_nonnull(strstr(wrong, "all directories above it"));
	ck_assert_ptr_nonnull(strstr(wrong, "namei -l"));
	ck_assert_int_eq(access(path, F_OK), -1);
}

static const struct {
	mode_t mode;
	gid_t group;
	int holds;  /* may contain the socket */
	int passes; /* may contain the directory of the socket */
} parents[] = {
    {0755, MONITOR_RIGHTS_GROUP, 1, 1},
    {0700, MONITOR_RIGHTS_GROUP, 1, 1},
    {0775, MONITOR_RIGHTS_GROUP, 0, 0},
    {0757, MONITOR_RIGHTS_GROUP, 0, 0},
    {0777, MONITOR_RIGHTS_GROUP, 0, 0},
    {01777, MONITOR_RIGHTS_GROUP, 0, 1},
    {01775, MONITOR_RIGHTS_GROUP, 0, 1},
    {0775, 0, 1, 1}, /* root's group is root */
    {0777, 0, 0, 0},
};

START_TEST(directories_that_strangers_may_write_to_are_refused)
{
	const char *path = unit_directory("d", 0700);

	unit_directory("d/inner", 0755);
	ck_assert_int_eq(chmod(path, parents[_i].mode), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(chown(path, 0, parents[_i].group), 0);
	else if (parents[_i].group == 0 && !monitor_rights_is_root())
		return;
	if (parents[_i].holds)
		ck_assert_pstr_eq(refusal(unit_path("d/s")), NULL);
	else
		refused_way(unit_path("d/s"), EPERM);
	if (parents[_i].passes)
		ck_assert_pstr_eq(refusal(unit_path("d/inner/s")), NULL);
	else
		refused_way(unit_path("d/inner/s"), EPERM);
}
END_TEST

/* Inside the path and at its end; links to places where a socket may be. */
static const struct {
	const char *path;
	int error;
} ways[] = {
    {"nothing/s", ENOENT},
    {"file/s", ENOTDIR},
    {"link/s", ENOTDIR},
    {"link/d/s", ENOTDIR},
    {"d/../link/s", ENOTDIR},
};

START_TEST(the_way_has_to_be_there_without_links)
{
	unit_directory("real", 0755);
	unit_directory("real/d", 0755);
	unit_directory("d", 0755);
	ck_assert_int_eq(symlink("real", unit_path("link")), 0);
	make_file(unit_path("file"));
	ck_assert_pstr_eq(refusal(unit_path("real/d/s")), NULL);
	refused_way(unit_path(ways[_i].path), ways[_i].error);
}
END_TEST

/* As where the limit of open files is too low: the path is right. */
START_TEST(a_way_that_could_not_be_looked_at_is_not_accused)
{
	unsigned long before = unit_limit_fds();
	struct rlimit limit;
	const char *wrong;
	int error;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	unit_unlimit_fds(limit.rlim_cur + 1);
	wrong = refusal(unit_path("socket"));
	error = errno;
	unit_unlimit_fds(before);
	ck_assert_int_eq(error, EMFILE);
	ck_assert_pstr_eq(wrong, "Too many open files");
}
END_TEST

START_TEST(a_strangers_directory_is_refused)
{
	if (!monitor_rights_is_root())
		return;
	unit_directory("foreign", 0755);
	unit_directory("foreign/inner", 0755);
	ck_assert_int_eq(
	    chown(unit_path("foreign"), MONITOR_RIGHTS_USER, 0), 0);
	refused_way(unit_path("foreign/s"), EPERM);
	refused_way(unit_path("foreign/inner/s"), EPERM);
}
END_TEST

UNIT_SUITE(path_refused)
{
	TCase *tc = monitor_rights_case(suite, "path-refused");

	tcase_add_loop_test(
	    tc, a_dead_socket_makes_room, 0, (int)UNIT_COUNT(types));
	tcase_add_loop_test(tc, a_dead_socket_of_its_users_makes_room, 0,
	    (int)UNIT_COUNT(left_behind));
	tcase_add_loop_test(tc, a_live_socket_is_refused_and_does_not_notice, 0,
	    (int)UNIT_COUNT(types));
	tcase_add_test(tc, a_socket_that_does_not_listen_yet_is_live);
	tcase_add_test(tc, a_datagram_socket_with_a_peer_is_live);
	tcase_add_loop_test(tc, what_is_no_socket_is_refused_and_stays, 0,
	    (int)UNIT_COUNT(places));
	tcase_add_loop_test(tc,
	    directories_that_strangers_may_write_to_are_refused, 0,
	    (int)UNIT_COUNT(parents));
	tcase_add_loop_test(tc, the_way_has_to_be_there_without_links, 0,
	    (int)UNIT_COUNT(ways));
	tcase_add_test(tc, a_way_that_could_not_be_looked_at_is_not_accused);
	tcase_add_test(tc, a_strangers_directory_is_refused);
}
