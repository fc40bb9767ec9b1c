/* SPDX-License-Identifier: ISC */
/*
 * The engine's end of a mailbox: it connects to the socket that it examined,
 * and knows whether it is alive and whether a datagram waits in it.
 */
#include "fixture/unit.h"

#include "fixture/net.h"

#include "engine/mailbox/mailbox.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define STRANGER 4711

static void
refuses(const char *path, uint32_t owner, int error)
{
	struct mailbox mailbox = {.node = -1, .fd = -1};

	errno = 0;
	ck_assert_int_eq(mailbox_look(path, owner, &mailbox), -1);
	ck_assert_msg(errno == error, "%s: errno %d", path, errno);
	ck_assert_int_eq(mailbox.node, -1);
}

/* Examines a mailbox and connects to it. */
static void
reach(struct mailbox *out, const char *path)
{
	ck_assert_int_eq(mailbox_look(path, geteuid(), out), 0);
	ck_assert_int_eq(mailbox_connect(out), 0);
}

START_TEST(a_socket_is_looked_at)
{
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);
	struct mailbox mailbox;
	struct stat st;

	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	ck_assert_int_eq(stat(unit_path("box"), &st), 0);
	ck_assert_int_eq(mailbox.fd, -1);
	ck_assert_uint_eq(mailbox.owner, geteuid());
	ck_assert_uint_eq(mailbox.device, st.st_dev);
	ck_assert_uint_eq(mailbox.inode, st.st_ino);
	ck_assert_int_eq(fcntl(mailbox.node, F_GETFD), FD_CLOEXEC);
	mailbox_close(&mailbox);
	ck_assert_int_eq(mailbox.node, -1);
	close(worker);
}
END_TEST

START_TEST(what_is_no_socket_is_refused)
{
	close(net_bind(unit_path("box"), SOCK_DGRAM));
	ck_assert_int_eq(symlink(unit_path("box"), unit_path("link")), 0);
	ck_assert_int_eq(mknod(unit_path("file"), S_IFREG | 0600, 0), 0);
	ck_assert_int_eq(mkfifo(unit_path("fifo"), 0600), 0);
	refuses(unit_path("link"), geteuid(), ENOTSOCK);
	refuses(unit_path("file"), geteuid(), ENOTSOCK);
	refuses(unit_path("fifo"), geteuid(), ENOTSOCK);
	refuses(unit_path(""), geteuid(), ENOTSOCK);
	refuses(unit_path("none"), geteuid(), ENOENT);
	refuses(unit_path("box/none"), geteuid(), ENOTDIR);
}
END_TEST

START_TEST(a_socket_of_somebody_else_is_refused)
{
	int box = net_bind(unit_path("box"), SOCK_DGRAM);

	refuses(unit_path("box"), geteuid() + 1, EPERM);
	close(box);
	/* It is nobody's by now. */
	refuses(unit_path("box"), geteuid() + 1, ECONNREFUSED);
}
END_TEST

START_TEST(without_an_owner_the_directory_has_to_be_safe)
{
	static const mode_t unsafe[] = {0775, 0757, 01777};
	struct mailbox mailbox;
	int box;

	unit_directory("run", 0755);
	box = net_bind(unit_path("run/box"), SOCK_DGRAM);
	ck_assert_int_eq(
	    mailbox_look(unit_path("run/box"), RECORD_NO_ID, &mailbox), 0);
	mailbox_close(&mailbox);
	for (size_t i = 0; i < UNIT_COUNT(unsafe); i++) {
		ck_assert_int_eq(chmod(unit_path("run"), unsafe[i]), 0);
		refuses(unit_path("run/box"), RECORD_NO_ID, EPERM);
	}
	ck_assert_int_eq(chdir(unit_path("run")), 0);
	ck_assert_int_eq(chmod(unit_path("run"), 0755), 0);
	refuses("box", RECORD_NO_ID, EPERM);
	close(box);
}
END_TEST

START_TEST(without_an_owner_the_directory_is_not_a_strangers)
{
	struct mailbox mailbox;
	int box;

	if (geteuid() != 0) {
		unit_skip("only root can give a directory away");
		return;
	}
	unit_directory("run", 0755);
	box = net_bind(unit_path("run/box"), SOCK_DGRAM);
	ck_assert_int_eq(chown(unit_path("run"), STRANGER, 0), 0);
	refuses(unit_path("run/box"), RECORD_NO_ID, EPERM);
	ck_assert_int_eq(chown(unit_path("run/box"), STRANGER, 0), 0);
	ck_assert_int_eq(
	    mailbox_look(unit_path("run/box"), RECORD_NO_ID, &mailbox), 0);
	ck_assert_uint_eq(mailbox.owner, STRANGER);
	mailbox_close(&mailbox);
	close(box);
}
END_TEST

START_TEST(what_was_looked_at_is_connected_to)
{
	int worker = net_bind(unit_path("box"), SOCK_DGRAM), other;
	struct mailbox mailbox;
	char byte;

	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	ck_assert_int_eq(unlink(unit_path("box")), 0);
	other = net_bind(unit_path("box"), SOCK_DGRAM);
	ck_assert_int_eq(mailbox_connect(&mailbox), 0);
	ck_assert_int_eq(fcntl(mailbox.fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_ne(fcntl(mailbox.fd, F_GETFL) & O_NONBLOCK, 0);
	ck_assert_int_eq(send(mailbox.fd, "a", 1, 0), 1);
	ck_assert_int_eq(recv(worker, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert(!net_polls(other, POLLIN));
	mailbox_close(&mailbox);
	ck_assert_int_eq(mailbox.fd, -1);
	close(worker);
	close(other);
}
END_TEST

START_TEST(one_that_nobody_has_cannot_be_connected_to)
{
	struct mailbox mailbox;

	close(net_bind(unit_path("box"), SOCK_DGRAM));
	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	ck_assert_int_eq(mailbox_connect(&mailbox), -1);
	ck_assert_int_eq(errno, ECONNREFUSED);
	ck_assert_int_eq(mailbox.fd, -1);
	mailbox_close(&mailbox);
}
END_TEST

START_TEST(one_of_another_type_cannot_be_connected_to)
{
	int worker = net_bind(unit_path("box"), SOCK_STREAM);
	struct mailbox mailbox;

	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	ck_assert_int_eq(mailbox_connect(&mailbox), -1);
	ck_assert_int_eq(errno, EPROTOTYPE);
	mailbox_close(&mailbox);
	close(worker);
}
END_TEST

START_TEST(it_is_alive_as_long_as_somebody_has_it)
{
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);
	int other = fcntl(worker, F_DUPFD_CLOEXEC, 0);
	struct mailbox mailbox;

	reach(&mailbox, unit_path("box"));
	ck_assert(mailbox_is_alive(&mailbox));
	close(worker);
	ck_assert(mailbox_is_alive(&mailbox));
	ck_assert_int_eq(unlink(unit_path("box")), 0);
	ck_assert_int_eq(shutdown(other, SHUT_RD), 0);
	ck_assert(mailbox_is_alive(&mailbox));
	close(other);
	ck_assert(!mailbox_is_alive(&mailbox));
	mailbox_close(&mailbox);
}
END_TEST

START_TEST(one_that_cannot_be_asked_counts_as_alive)
{
	struct mailbox mailbox;
	unsigned long limit;
	int alive;

	close(net_bind(unit_path("box"), SOCK_DGRAM));
	ck_assert_int_eq(
	    mailbox_look(unit_path("box"), geteuid(), &mailbox), 0);
	limit = unit_limit_fds();
	alive = mailbox_is_alive(&mailbox);
	unit_unlimit_fds(limit);
	ck_assert(alive);
	ck_assert(!mailbox_is_alive(&mailbox));
	mailbox_close(&mailbox);
}
END_TEST

START_TEST(it_is_drained_when_all_is_received)
{
	int worker = net_bind(unit_path("box"), SOCK_DGRAM);
	struct mailbox mailbox;
	char byte;

	reach(&mailbox, unit_path("box"));
	ck_assert(mailbox_is_empty(&mailbox));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(send(mailbox.fd, "a", 1, 0), 1);
	ck_assert(!mailbox_is_empty(&mailbox));
	ck_assert_int_eq(recv(worker, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert(!mailbox_is_empty(&mailbox));
	ck_assert_int_eq(recv(worker, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert(mailbox_is_empty(&mailbox));
	mailbox_close(&mailbox);
	ck_assert(!mailbox_is_empty(&mailbox));
	close(worker);
}
END_TEST

UNIT_SUITE(mailbox)
{
	TCase *tc = unit_case(suite, "mailbox");

	tcase_add_test(tc, a_socket_is_looked_at);
	tcase_add_test(tc, what_is_no_socket_is_refused);
	tcase_add_test(tc, a_socket_of_somebody_else_is_refused);
	tcase_add_test(tc, without_an_owner_the_directory_has_to_be_safe);
	tcase_add_test(tc, without_an_owner_the_directory_is_not_a_strangers);
	tcase_add_test(tc, what_was_looked_at_is_connected_to);
	tcase_add_test(tc, one_that_nobody_has_cannot_be_connected_to);
	tcase_add_test(tc, one_of_another_type_cannot_be_connected_to);
	tcase_add_test(tc, it_is_alive_as_long_as_somebody_has_it);
	tcase_add_test(tc, one_that_cannot_be_asked_counts_as_alive);
	tcase_add_test(tc, it_is_drained_when_all_is_received);
}
