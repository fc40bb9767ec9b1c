/* SPDX-License-Identifier: ISC */
/*
 * Which Unix sockets are alive; their owner is not disturbed.
 */
#include "fixture/net.h"
#include "fixture/unit.h"
#include "wire/liveness.h"

#include <sys/stat.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

static struct sockaddr_un
address_of(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(
	    address.sun_path, sizeof(address.sun_path), "%s", unit_path(name));
	return address;
}

static int
probe(const char *name)
{
	struct sockaddr_un address = address_of(name);

	return fdrecv_liveness_probe(&address);
}

static const int types[] = {SOCK_DGRAM, SOCK_STREAM, SOCK_SEQPACKET};

START_TEST(an_open_socket_of_any_type_is_alive)
{
	int fd = net_bind(unit_path("s"), types[_i]);

	ck_assert_int_eq(probe("s"), 1);
	ck_assert(!net_polls(fd, POLLIN)); /* nothing was sent or queued */
	close(fd);
	ck_assert_int_eq(probe("s"), 0);
}
END_TEST

/* connect(2) fails with EPERM. */
START_TEST(a_datagram_socket_with_another_peer_is_alive)
{
	int peer = net_bind(unit_path("peer"), SOCK_DGRAM);
	int fd = net_bind(unit_path("s"), SOCK_DGRAM);
	struct sockaddr_un address = address_of("peer");

	ck_assert_int_eq(
	    connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(probe("s"), 1);
	close(fd);
	close(peer);
}
END_TEST

START_TEST(without_a_file_there_is_no_socket)
{
	ck_assert_int_eq(probe("none"), 0);
}
END_TEST

static void
probe_as_stranger(void *argument)
{
	(void)argument;
	unit_must(setegid(65534) == 0 && seteuid(65534) == 0);
	errno = 0;
	unit_must(probe("s") == -1 && errno == EACCES);
}

START_TEST(without_permission_it_is_not_known)
{
	int fd = net_bind(unit_path("s"), SOCK_DGRAM);

	ck_assert_int_eq(chmod(unit_path("s"), 0700), 0);
	if (geteuid() == 0)
		unit_in_child(probe_as_stranger, NULL);
	else
		unit_skip("only root has a stranger to ask");
	close(fd);
}
END_TEST

START_TEST(without_descriptors_it_is_not_known)
{
	int fd = net_bind(unit_path("s"), SOCK_DGRAM), live, error;
	unsigned long limit = unit_limit_fds();

	live = probe("s");
	error = errno;
	unit_unlimit_fds(limit);
	ck_assert_int_eq(live, -1);
	ck_assert_int_eq(error, EMFILE);
	close(fd);
}
END_TEST

UNIT_SUITE(liveness)
{
	TCase *tc = unit_case(suite, "liveness");

	tcase_add_loop_test(
	    tc, an_open_socket_of_any_type_is_alive, 0, (int)UNIT_COUNT(types));
	tcase_add_test(tc, a_datagram_socket_with_another_peer_is_alive);
	tcase_add_test(tc, without_a_file_there_is_no_socket);
	tcase_add_test(tc, without_permission_it_is_not_known);
	tcase_add_test(tc, without_descriptors_it_is_not_known);
}
