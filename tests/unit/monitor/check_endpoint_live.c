/* SPDX-License-Identifier: ISC */
/*
 * Sockets that are in use: options that can change, the ownership of their
 * file, and the end of one or of all of them.
 */
#include "fixture/monitor_rights.h"
#include "fixture/net.h"
#include "fixture/record_sample.h"
#include "fixture/unit.h"

#include "base/fd.h"
#include "monitor/path.h"

#include <sys/stat.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static void
bind_well(struct endpoint *endpoint, const struct record *record)
{
	const char *wrong;

	*endpoint = (struct endpoint){.record = record, .fd = -1};
	wrong = endpoint_bind(endpoint);
	ck_assert_msg(wrong == NULL, "%s: %s", record->u.socket.name, wrong);
}

static void
apply_well(struct endpoint *endpoint)
{
	const char *wrong = endpoint_apply(endpoint, 1);

	ck_assert_msg(wrong == NULL, "%s", wrong);
}

/* As in a reload: the same socket, with another record. */
static void
take_over(
    struct endpoint *next, struct endpoint *before, const struct record *record)
{
	*next = (struct endpoint){.record = record,
	    .fd = fcntl(before->fd, F_DUPFD_CLOEXEC, 0),
	    .shared = 1};
	if (record_path(&record->u.socket) != NULL)
		ck_assert_int_eq(path_find(next, before), 0);
}

START_TEST(the_backlog_changes_while_connections_wait)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 0);
	struct tcp_info info = {0};
	socklen_t size = sizeof(info);
	struct endpoint endpoint;
	int client, server;

	record.u.socket.backlog = 7;
	bind_well(&endpoint, &record);
	client = net_connect(endpoint.fd);
	record.u.socket.backlog = 9;
	apply_well(&endpoint);
	/* For a listening socket this field is the backlog, see ss(8). */
	ck_assert_int_eq(
	    getsockopt(endpoint.fd, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
	ck_assert_uint_eq(info.tcpi_sacked, 9);
	server = accept4(endpoint.fd, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(server, -1);
	fd_close(server);
	fd_close(client);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

static const struct {
	uint32_t flag;
	uint32_t kind;
	int level;
	int name;
} options[] = {
    {RECORD_KEEPALIVE, RECORD_TCP, SOL_SOCKET, SO_KEEPALIVE},
    {RECORD_NODELAY, RECORD_TCP, IPPROTO_TCP, TCP_NODELAY},
    {RECORD_PASS_CREDENTIALS, RECORD_UNIX_STREAM, SOL_SOCKET, SO_PASSCRED},
};

START_TEST(an_option_is_switched_on_and_off)
{
	struct record record = options[_i].kind == RECORD_TCP ?
	    record_sample_inet(RECORD_TCP, "127.0.0.1", 0) :
	    record_sample_unix(options[_i].kind, unit_path("s"));
	struct endpoint endpoint;
	int value;
	socklen_t size = sizeof(value);

	bind_well(&endpoint, &record);
	for (int on = 1; on >= 0; on--) {
		record.u.socket.flags = on ? options[_i].flag : 0;
		apply_well(&endpoint);
		ck_assert_int_eq(getsockopt(endpoint.fd, options[_i].level,
				     options[_i].name, &value, &size),
		    0);
		ck_assert_int_eq(value, on);
	}
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

/* The option belongs to the address. */
START_TEST(what_cannot_be_switched_stays)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 0);
	struct endpoint endpoint;
	int value;
	socklen_t size = sizeof(value);

	record.u.socket.flags = RECORD_REUSEADDR;
	bind_well(&endpoint, &record);
	record.u.socket.flags = 0;
	apply_well(&endpoint);
	ck_assert_int_eq(
	    getsockopt(endpoint.fd, SOL_SOCKET, SO_REUSEADDR, &value, &size),
	    0);
	ck_assert_int_eq(value, 1);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

/* The engine puts its flags right. */
START_TEST(a_socket_that_was_shut_down_listens_again)
{
	struct record record = record_sample_inet(RECORD_TCP, "127.0.0.1", 0);
	struct endpoint endpoint;

	bind_well(&endpoint, &record);
	ck_assert_int_eq(shutdown(endpoint.fd, SHUT_RDWR), 0);
	apply_well(&endpoint);
	close(net_connect(endpoint.fd));
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

START_TEST(a_socket_file_gets_another_mode_and_owner)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	int root = geteuid() == 0;
	struct endpoint endpoint, next;
	struct stat before, st;

	bind_well(&endpoint, &record);
	ck_assert_int_eq(stat(unit_path("s"), &before), 0);
	record.u.socket.mode = 0620;
	if (root) {
		record.u.socket.uid = MONITOR_RIGHTS_USER;
		record.u.socket.gid = MONITOR_RIGHTS_GROUP;
	}
	take_over(&next, &endpoint, &record);
	apply_well(&next);
	ck_assert_int_eq(stat(unit_path("s"), &st), 0);
	ck_assert_uint_eq(st.st_ino, before.st_ino);
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0620);
	ck_assert_uint_eq(st.st_uid, root ? MONITOR_RIGHTS_USER : geteuid());
	ck_assert_uint_eq(
	    st.st_gid, root ? MONITOR_RIGHTS_GROUP : before.st_gid);
	record.u.socket.uid = RECORD_NO_ID; /* back to the monitor */
	apply_well(&next);
	ck_assert_int_eq(stat(unit_path("s"), &st), 0);
	ck_assert_uint_eq(st.st_uid, geteuid());
	ck_assert_uint_eq(st.st_mode, S_IFSOCK | 0620);
	endpoint_close(&next, ENDPOINT_STOP);
	endpoint_close(&endpoint, ENDPOINT_STOP);
}
END_TEST

static void
watch_owner(void *argument)
{
	struct stat st;

	do
		unit_must(stat(unit_path("s"), &st) == 0 &&
		    st.st_uid == MONITOR_RIGHTS_USER);
	while (!net_polls(*(int *)argument, POLLIN));
}

/* This may be the only permission that lets a client connect. */
START_TEST(a_file_that_stays_as_it_is_has_its_owner_all_the_time)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint;
	int ends[2];
	pid_t watcher;

	if (!monitor_rights_is_root())
		return;
	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	record.u.socket.uid = MONITOR_RIGHTS_USER;
	record.u.socket.mode = 0600;
	bind_well(&endpoint, &record);
	watcher = unit_fork(watch_owner, &ends[0]);
	for (int i = 0; i < 3000; i++)
		apply_well(&endpoint);
	ck_assert_int_eq(write(ends[1], "x", 1), 1);
	ck_assert_int_eq(unit_reap(watcher, 0), 0);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

/* In place of the socket: nothing, another socket, a file, a link to it. */
START_TEST(a_socket_whose_file_is_gone_is_known)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint, next = {.record = &record, .fd = -1};
	int other = -1;

	bind_well(&endpoint, &record);
	/* Kept, so that the next file gets another inode. */
	ck_assert_int_eq(rename(unit_path("s"), unit_path("old")), 0);
	if (_i == 1)
		other = net_bind(unit_path("s"), SOCK_STREAM);
	else if (_i == 2)
		ck_assert_int_eq(mknod(unit_path("s"), S_IFREG | 0600, 0), 0);
	else if (_i == 3)
		ck_assert_int_eq(symlink("old", unit_path("s")), 0);
	ck_assert_int_eq(path_find(&next, &endpoint), -1);
	/* The owner of the socket cannot be determined. */
	ck_assert_int_eq(path_find(&next, NULL) == 0, _i == 1);
	ck_assert_ptr_nonnull(endpoint_apply(&endpoint, 1));
	endpoint_close(&endpoint, ENDPOINT_STOP);
	ck_assert_int_eq(access(unit_path("s"), F_OK), _i == 0 ? -1 : 0);
	fd_close(other);
}
END_TEST

START_TEST(only_the_last_end_removes_the_file)
{
	struct record record =
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));
	struct endpoint endpoint, next;

	bind_well(&endpoint, &record);
	take_over(&next, &endpoint, &record);
	endpoint_close(&next, (enum endpoint_end)_i);
	ck_assert_int_eq(next.fd, -1);
	close(net_reach(unit_path("s"), SOCK_STREAM));
	take_over(&next, &endpoint, &record);
	next.shared = 0;
	endpoint.shared = 1;
	endpoint_close(&endpoint, (enum endpoint_end)_i);
	close(net_connect(next.fd));
	ck_assert_int_eq(access(unit_path("s"), F_OK), 0);
	endpoint_close(&next, (enum endpoint_end)_i);
	ck_assert_int_eq(access(unit_path("s"), F_OK), -1);
}
END_TEST

static struct record
revoked_record(int i)
{
	struct record record = i == 0 ?
	    record_sample_inet(RECORD_TCP, net_own_address("85"), 61585) :
	    record_sample_unix(RECORD_UNIX_STREAM, unit_path("s"));

	record.u.socket.flags = i == 0 ? RECORD_REUSEADDR : 0;
	record.u.endpoint.handoff = RECORD_LISTENER;
	return record;
}

/* Except for a connection that waited in the queue of a local socket. */
START_TEST(a_revoked_listener_is_no_use_to_who_was_lent_it)
{
	struct record record = revoked_record(_i);
	struct endpoint endpoint;
	int lent, client = -1;

	bind_well(&endpoint, &record);
	lent = fcntl(endpoint.fd, F_DUPFD_CLOEXEC, 0);
	if (_i == 0)
		client = net_connect(lent);
	endpoint_close(&endpoint, ENDPOINT_REVOKE);
	errno = 0;
	ck_assert_int_eq(accept4(lent, NULL, NULL, SOCK_CLOEXEC), -1);
	ck_assert_int_eq(errno, EINVAL);
	bind_well(&endpoint, &record);
	close(net_connect(endpoint.fd));
	endpoint_close(&endpoint, ENDPOINT_STOP);
	fd_close(client);
	close(lent);
}
END_TEST

START_TEST(a_listener_that_is_not_revoked_stays_with_who_was_lent_it)
{
	struct record record = revoked_record(0);
	struct endpoint endpoint;
	int lent, client, server;

	bind_well(&endpoint, &record);
	endpoint.shared = _i;
	lent = fcntl(endpoint.fd, F_DUPFD_CLOEXEC, 0);
	endpoint_close(&endpoint, _i ? ENDPOINT_REVOKE : ENDPOINT_STOP);
	client = net_connect(lent);
	server = accept4(lent, NULL, NULL, SOCK_CLOEXEC);
	ck_assert_int_ne(server, -1);
	close(server);
	close(client);
	close(lent);
}
END_TEST

/* It is still open, and datagrams come to the new one, which nobody can do the
 * same with. */
START_TEST(a_udp_socket_is_bound_beside_a_dead_one)
{
	struct record record = record_sample_inet(RECORD_UDP, "127.0.0.1", 0);
	struct sockaddr_in *to = (void *)&record.u.socket.address;
	struct endpoint dead, endpoint = {.record = &record, .fd = -1};
	int client = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), on = 1;
	socklen_t size = sizeof(on);

	bind_well(&dead, &record);
	to->sin_port = htons(net_port(dead.fd));
	ck_assert_ptr_nonnull(endpoint_bind(&endpoint));
	shutdown(dead.fd, SHUT_RDWR);
	endpoint.beside = dead.fd;
	ck_assert_ptr_null(endpoint_bind(&endpoint));
	ck_assert_int_eq(endpoint.beside, 0);
	ck_assert_int_eq(
	    getsockopt(endpoint.fd, SOL_SOCKET, SO_REUSEADDR, &on, &size), 0);
	ck_assert_int_eq(on, 0);
	ck_assert_int_eq(sendto(client, "x", 1, 0, (void *)to, sizeof(*to)), 1);
	ck_assert(net_polls(endpoint.fd, POLLIN));
	ck_assert_ptr_nonnull(
	    endpoint_bind(&(struct endpoint){.record = &record, .fd = -1}));
	close(client);
	endpoint_close(&endpoint, ENDPOINT_STOP);
	endpoint_close(&dead, ENDPOINT_STOP);
}
END_TEST

UNIT_SUITE(endpoint_live)
{
	TCase *tc = monitor_rights_case(suite, "change");

	tcase_add_test(tc, the_backlog_changes_while_connections_wait);
	tcase_add_loop_test(
	    tc, an_option_is_switched_on_and_off, 0, (int)UNIT_COUNT(options));
	tcase_add_test(tc, what_cannot_be_switched_stays);
	tcase_add_test(tc, a_socket_that_was_shut_down_listens_again);
	tcase_add_test(tc, a_socket_file_gets_another_mode_and_owner);
	tcase_add_test(
	    tc, a_file_that_stays_as_it_is_has_its_owner_all_the_time);
	tcase_add_loop_test(tc, a_socket_whose_file_is_gone_is_known, 0, 4);
	tcase_add_test(tc, a_udp_socket_is_bound_beside_a_dead_one);
	tc = monitor_rights_case(suite, "end");
	tcase_add_loop_test(tc, only_the_last_end_removes_the_file,
	    ENDPOINT_STOP, ENDPOINT_REVOKE + 1);
	tcase_add_loop_test(
	    tc, a_revoked_listener_is_no_use_to_who_was_lent_it, 0, 2);
	tcase_add_loop_test(tc,
	    a_listener_that_is_not_revoked_stays_with_who_was_lent_it, 0, 2);
}
