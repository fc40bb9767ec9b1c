/* SPDX-License-Identifier: ISC */
/*
 * Lent sockets that come again: one that the application still holds is not
 * handed out twice, one that it has closed is.
 */
#include "fixture/fake_engine.h"
#include "fixture/net.h"
#include "fixture/unit.h"
#include "lib/lent_cookies.h"

#include <sys/socket.h>

#include <errno.h>
#include <unistd.h>

static struct lent_cookies lent;
static struct test_mailbox mailbox;
static struct fake_engine engine;

static uint64_t
cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t size = sizeof(cookie);

	ck_assert_int_eq(
	    getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size), 0);
	ck_assert_uint_ne(cookie, 0);
	return cookie;
}

static int
new_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ne(fd, -1);
	return fd;
}

START_TEST(a_socket_is_known_until_it_is_closed)
{
	int fd = new_socket(), other = new_socket(), again;
	uint64_t cookie = cookie_of(fd);

	ck_assert(!fdrecv_lent_cookies_has(&lent, cookie, fd));
	ck_assert(fdrecv_lent_cookies_has(&lent, cookie, other));
	ck_assert(fdrecv_lent_cookies_has(&lent, cookie, -1));
	ck_assert(!fdrecv_lent_cookies_has(&lent, cookie_of(other), other));
	again = dup(fd);
	close(fd);
	ck_assert(!fdrecv_lent_cookies_has(&lent, cookie, again));
	ck_assert(fdrecv_lent_cookies_has(&lent, cookie, other));
	ck_assert_uint_eq(lent.count, 2);
	close(again);
	close(other);
}
END_TEST

START_TEST(a_number_that_is_another_sockets_now_is_not_it)
{
	int fd = new_socket(), kept = dup(fd), other = new_socket();
	uint64_t cookie = cookie_of(fd);

	ck_assert(!fdrecv_lent_cookies_has(&lent, cookie, fd));
	ck_assert_int_eq(dup2(other, fd), fd);
	ck_assert(!fdrecv_lent_cookies_has(&lent, cookie, kept));
	ck_assert(fdrecv_lent_cookies_has(&lent, cookie, fd));
	close(fd);
	close(kept);
	close(other);
}
END_TEST

START_TEST(its_own_number_again_is_not_it)
{
	int fd = new_socket(), kept = dup(fd);
	uint64_t cookie = cookie_of(fd);

	ck_assert(!fdrecv_lent_cookies_has(&lent, cookie, fd));
	close(fd);
	ck_assert_int_eq(dup(kept), fd);
	ck_assert(!fdrecv_lent_cookies_has(&lent, cookie, fd));
	ck_assert(fdrecv_lent_cookies_has(&lent, cookie, kept));
	close(fd);
	close(kept);
}
END_TEST

/* Of those that come again, only the one too many is handed out each time. */
START_TEST(more_than_can_be_known_are_no_harm)
{
	int fds[LENT_COOKIES_MAX + 1];

	for (int round = 0; round < 2; round++)
		for (int i = 0; i <= LENT_COOKIES_MAX; i++) {
			if (round == 0)
				fds[i] = new_socket();
			ck_assert_int_eq(
			    fdrecv_lent_cookies_has(&lent, cookie_of(fds[i]),
				round == 0 ? fds[i] : -1),
			    round == 1 && i < LENT_COOKIES_MAX);
		}
	for (int i = 0; i <= LENT_COOKIES_MAX; i++)
		close(fds[i]);
}
END_TEST

/* Each engine lends its sockets; without a cookie none is recognized. */
START_TEST(each_engine_lends_and_one_is_handed_out)
{
	struct fake_engine_record record = {.kind = FDRECV_WIRE_DATAGRAM};
	struct fdrecv_handoff first = FDRECV_HANDOFF_INIT;
	int fd = new_socket();

	record.cookie = _i == 0 ? cookie_of(fd) : 0;
	test_mailbox_open(&mailbox, FDRECV_NONBLOCK);
	for (unsigned int i = 0; i < 3; i++) {
		fake_engine_start(&engine, i, 11 + i);
		fake_engine_send(&engine, &mailbox, &record, &fd, 1);
		if (i == 2) /* closed in between */
			fdrecv_done(mailbox.fdrecv, &first);
		if (i == 0)
			ck_assert_int_eq(
			    fdrecv_next(mailbox.fdrecv, &first), 1);
		else
			ck_assert_int_eq(
			    fdrecv_next(mailbox.fdrecv, &mailbox.handoff),
			    i == 2 || _i == 1);
		fdrecv_done(mailbox.fdrecv, &mailbox.handoff);
		fake_engine_stop(&engine);
	}
	ck_assert_int_eq(fdrecv_next(mailbox.fdrecv, &mailbox.handoff), 0);
	ck_assert_int_eq(errno, EAGAIN);
	test_mailbox_close(&mailbox);
	close(fd);
}
END_TEST

UNIT_SUITE(lent_cookies)
{
	TCase *tc = unit_case(suite, "fdrecv_lent");

	tcase_add_test(tc, a_socket_is_known_until_it_is_closed);
	tcase_add_test(tc, a_number_that_is_another_sockets_now_is_not_it);
	tcase_add_test(tc, its_own_number_again_is_not_it);
	tcase_add_test(tc, more_than_can_be_known_are_no_harm);
	tcase_add_loop_test(tc, each_engine_lends_and_one_is_handed_out, 0, 2);
}
