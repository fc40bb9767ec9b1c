/* SPDX-License-Identifier: ISC */
/*
 * What is remembered of registrations with epoll.
 */
#include "fixture/unit.h"

#include "fake_shortage.h"

#include "bind/epoll_watch.h"
#include "bind/fd_bits.h"

#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* A datagram socket always polls writable. */
static const struct epoll_event writable = {
    .events = EPOLLOUT, .data.u64 = UINT64_MAX - 7};

struct watched {
	struct epoll_watch watch;
	int epoll;
	int fd;
	int lent;
};

static struct watched *
watched_new(int is_lent)
{
	struct watched *watched = calloc(1, sizeof(*watched));
	struct epoll_event event = writable;

	ck_assert_ptr_nonnull(watched);
	watched->watch.pid = getpid();
	watched->epoll = epoll_create1(EPOLL_CLOEXEC);
	watched->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	watched->lent = fcntl(watched->fd, F_DUPFD_CLOEXEC, 0);
	ck_assert_int_eq(
	    epoll_ctl(watched->epoll, EPOLL_CTL_ADD, watched->fd, &event), 0);
	epoll_watch_add(
	    &watched->watch, watched->epoll, watched->fd, is_lent, &event);
	return watched;
}

static void
watched_free(struct watched *watched)
{
	close(watched->epoll);
	close(watched->fd);
	close(watched->lent);
	free(watched);
}

static int
reported(const struct watched *watched)
{
	struct epoll_event event;

	return epoll_wait(watched->epoll, &event, 1, 0);
}

START_TEST(a_lent_socket_that_is_closed_leaves_epoll)
{
	struct watched *watched = watched_new(1);

	epoll_watch_close(&watched->watch, watched->fd + 1, INT_MAX);
	epoll_watch_close(&watched->watch, 0, watched->epoll - 1);
	ck_assert_int_eq(reported(watched), 1);
	epoll_watch_close(&watched->watch, watched->fd, watched->fd);
	ck_assert_int_eq(reported(watched), 0);
	ck_assert_int_eq(epoll_watch_has(&watched->watch, 0, INT_MAX), 0);
	watched_free(watched);
}
END_TEST

START_TEST(an_epoll_instance_that_is_closed_is_forgotten)
{
	struct watched *watched = watched_new(1);

	epoll_watch_close(&watched->watch, watched->epoll, watched->epoll);
	ck_assert_int_eq(reported(watched), 1);
	ck_assert_int_eq(epoll_watch_has(&watched->watch, 0, INT_MAX), 0);
	watched_free(watched);
}
END_TEST

START_TEST(a_socket_that_is_not_lent_stays)
{
	struct watched *watched = watched_new(0);

	epoll_watch_close(&watched->watch, watched->fd, watched->fd);
	ck_assert_int_eq(reported(watched), 1);
	ck_assert_int_eq(epoll_watch_has(&watched->watch, 0, INT_MAX), 0);
	watched_free(watched);
}
END_TEST

START_TEST(what_the_program_removed_is_forgotten)
{
	struct watched *watched = watched_new(1);

	epoll_watch_change(&watched->watch, -1, watched->fd, NULL);
	ck_assert_int_eq(epoll_watch_has(&watched->watch, 0, INT_MAX), 1);
	epoll_watch_change(&watched->watch, watched->epoll, watched->fd, NULL);
	ck_assert_int_eq(epoll_watch_has(&watched->watch, 0, INT_MAX), 0);
	watched_free(watched);
}
END_TEST

static void
close_in_a_child(struct watched *watched, pid_t pid)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		watched->watch.pid = pid == 0 ? getpid() : pid;
		epoll_watch_close(&watched->watch, watched->fd, watched->fd);
		_exit(epoll_watch_has(&watched->watch, 0, INT_MAX));
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(
	    status, pid == 0 ? 0 : 1 << 8 /* it is not the child's memory */);
}

START_TEST(a_child_that_closes_its_copy_takes_nothing_from_its_parent)
{
	struct watched *watched = watched_new(1);

	close_in_a_child(watched, 0);
	ck_assert_int_eq(reported(watched), 1);
	close_in_a_child(watched, getpid());
	ck_assert_int_eq(reported(watched), 1);
	watched_free(watched);
}
END_TEST

START_TEST(a_child_whose_parent_has_gone_removes_what_the_parent_added)
{
	struct watched *watched = watched_new(1);
	pid_t gone = fork();

	if (gone == 0)
		_exit(0);
	ck_assert_int_eq(waitid(P_PID, (id_t)gone, NULL, WEXITED | WNOWAIT), 0);
	watched->watch.entries[0].pid = gone; /* a zombie has gone, too */
	close_in_a_child(watched, 0);
	ck_assert_int_eq(reported(watched), 0);
	ck_assert_int_eq(waitpid(gone, NULL, 0), gone);
	watched_free(watched);
}
END_TEST

START_TEST(another_socket_under_the_number_is_registered_as_the_first)
{
	struct watched *watched = watched_new(0);
	int other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct epoll_event event;

	epoll_watch_leave(&watched->watch, watched->fd);
	ck_assert_int_eq(reported(watched), 0);
	ck_assert_int_eq(dup3(other, watched->fd, O_CLOEXEC), watched->fd);
	ck_assert_int_eq(
	    epoll_watch_return(&watched->watch, watched->fd, 1), 1);
	ck_assert_int_eq(epoll_wait(watched->epoll, &event, 1, 0), 1);
	ck_assert_uint_eq(event.data.u64, writable.data.u64);
	epoll_watch_close(&watched->watch, watched->fd, watched->fd);
	ck_assert_int_eq(reported(watched), 0);
	close(other);
	watched_free(watched);
}
END_TEST

/* When it is removed, and then when the other one is registered. */
START_TEST(want_of_memory_is_waited_out)
{
	struct watched *watched = watched_new(0);

	fake_shortage = (struct fake_shortage){ENOMEM, 1};
	epoll_watch_leave(&watched->watch, watched->fd);
	ck_assert(epoll_watch_has(&watched->watch, watched->fd, watched->fd));
	epoll_watch_leave(&watched->watch, watched->fd);
	ck_assert_int_eq(reported(watched), 0);
	fake_shortage = (struct fake_shortage){_i == 0 ? ENOMEM : ENOSPC, 3};
	ck_assert_int_eq(
	    epoll_watch_return(&watched->watch, watched->fd, 1), 1);
	ck_assert_int_eq(reported(watched), 1);
	watched_free(watched);
}
END_TEST

START_TEST(a_socket_that_cannot_be_registered_is_told)
{
	struct watched *watched = watched_new(0);

	epoll_watch_leave(&watched->watch, watched->fd);
	fake_shortage = (struct fake_shortage){ENOSPC, -1};
	ck_assert_int_eq(
	    epoll_watch_return(&watched->watch, watched->fd, 1), -1);
	ck_assert_int_eq(errno, ENOSPC);
	fake_shortage.times = 0;
	watched_free(watched);
}
END_TEST

/* Another thread has closed the instance. */
START_TEST(other_errors_do_not_matter)
{
	struct watched *watched = watched_new(0);

	epoll_watch_leave(&watched->watch, watched->fd);
	fake_shortage = (struct fake_shortage){EBADF, 1};
	ck_assert_int_eq(
	    epoll_watch_return(&watched->watch, watched->fd, 1), 0);
	watched_free(watched);
}
END_TEST

START_TEST(a_full_table_forgets_the_newest)
{
	struct watched *watched = watched_new(1);

	for (int i = 0; i < EPOLL_WATCH_MAX + 2; i++)
		epoll_watch_add(
		    &watched->watch, watched->epoll, 1000 + i, 1, &writable);
	ck_assert(epoll_watch_has(&watched->watch, 1000, 1000));
	ck_assert(!epoll_watch_has(
	    &watched->watch, 1000 + EPOLL_WATCH_MAX, 1000 + EPOLL_WATCH_MAX));
	epoll_watch_close(&watched->watch, 0, INT_MAX);
	ck_assert(!epoll_watch_has(&watched->watch, 0, INT_MAX));
	watched_free(watched);
}
END_TEST

START_TEST(a_set_of_descriptors_is_searched_in_order)
{
	struct fd_bits *bits = calloc(1, sizeof(*bits));
	static const int numbers[] = {0, 31, 32, 4711, FD_BITS_MAX - 1};
	int next = -1;

	ck_assert_ptr_nonnull(bits);
	for (size_t i = 0; i < UNIT_COUNT(numbers); i++)
		fd_bits_set(bits, numbers[i], 1);
	fd_bits_set(bits, -1, 1);
	fd_bits_set(bits, FD_BITS_MAX, 1);
	for (size_t i = 0; i < UNIT_COUNT(numbers); i++) {
		next = fd_bits_next(bits, next + 1, INT_MAX);
		ck_assert_int_eq(next, numbers[i]);
		ck_assert(fd_bits_has(bits, next));
	}
	ck_assert_int_eq(fd_bits_next(bits, 33, 4710), -1);
	ck_assert_int_eq(fd_bits_next(bits, 33, 4711), 4711);
	fd_bits_set(bits, 4711, 0);
	ck_assert(!fd_bits_has(bits, 4711) && !fd_bits_has(bits, -1));
	ck_assert_int_eq(fd_bits_next(bits, FD_BITS_MAX, INT_MAX), -1);
	free(bits);
}
END_TEST

UNIT_SUITE(epoll_watch)
{
	TCase *tc = unit_case(suite, "remember");

	tcase_add_test(tc, a_lent_socket_that_is_closed_leaves_epoll);
	tcase_add_test(tc, an_epoll_instance_that_is_closed_is_forgotten);
	tcase_add_test(tc, a_socket_that_is_not_lent_stays);
	tcase_add_test(tc, what_the_program_removed_is_forgotten);
	tcase_add_test(
	    tc, a_child_that_closes_its_copy_takes_nothing_from_its_parent);
	tcase_add_test(
	    tc, a_child_whose_parent_has_gone_removes_what_the_parent_added);
	tcase_add_test(
	    tc, another_socket_under_the_number_is_registered_as_the_first);
	tcase_add_loop_test(tc, want_of_memory_is_waited_out, 0, 2);
	tcase_add_test(tc, a_socket_that_cannot_be_registered_is_told);
	tcase_add_test(tc, other_errors_do_not_matter);
	tcase_add_test(tc, a_full_table_forgets_the_newest);
	tcase_add_test(tc, a_set_of_descriptors_is_searched_in_order);
}
