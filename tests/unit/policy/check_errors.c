/* SPDX-License-Identifier: ISC */
/*
 * The meaning of every errno: of accept4(2) by accept(2), of connect(2) and
 * sendmsg(2) by unix(7).
 */
#include "fixture/unit.h"

#include "engine/policy/errors.h"

#include <errno.h>
#include <string.h>

#define ERRNOS 4096 /* the kernel's errors are below, see IS_ERR_VALUE() */

struct expected {
	int error;
	int meaning;
};

static const struct expected accepts[] = {
    {EAGAIN, ERRORS_ACCEPT_EMPTY},
    {EWOULDBLOCK, ERRORS_ACCEPT_EMPTY},
    /* The connection is gone, or a signal came: the next accept may
     * succeed. */
    {ECONNABORTED, ERRORS_ACCEPT_SKIP},
    {ECONNRESET, ERRORS_ACCEPT_SKIP},
    {EINTR, ERRORS_ACCEPT_SKIP},
    {EPERM, ERRORS_ACCEPT_SKIP},
    /* accept(2), "Error handling": "treat them like EAGAIN by retrying". */
    {ENETDOWN, ERRORS_ACCEPT_SKIP},
    {EPROTO, ERRORS_ACCEPT_SKIP},
    {ENOPROTOOPT, ERRORS_ACCEPT_SKIP},
    {EHOSTDOWN, ERRORS_ACCEPT_SKIP},
    {ENONET, ERRORS_ACCEPT_SKIP},
    {EHOSTUNREACH, ERRORS_ACCEPT_SKIP},
    {EOPNOTSUPP, ERRORS_ACCEPT_SKIP},
    {ENETUNREACH, ERRORS_ACCEPT_SKIP},
    /* accept(2): "Linux kernels may return other errors such as". */
    {ETIMEDOUT, ERRORS_ACCEPT_SKIP},
    {EPROTONOSUPPORT, ERRORS_ACCEPT_SKIP},
    {ESOCKTNOSUPPORT, ERRORS_ACCEPT_SKIP},
    /* Limits: waiting connections stay in the queue. */
    {EMFILE, ERRORS_ACCEPT_PAUSE},
    {ENFILE, ERRORS_ACCEPT_PAUSE},
    {ENOBUFS, ERRORS_ACCEPT_PAUSE},
    {ENOMEM, ERRORS_ACCEPT_PAUSE},
    /* Not a socket, not listening, or shut down by a worker. */
    {EBADF, ERRORS_ACCEPT_BROKEN},
    {ENOTSOCK, ERRORS_ACCEPT_BROKEN},
    {EINVAL, ERRORS_ACCEPT_BROKEN},
    {EFAULT, ERRORS_ACCEPT_BROKEN},
};

static const struct expected sends[] = {
    {EAGAIN, ERRORS_SEND_FULL},
    {EWOULDBLOCK, ERRORS_SEND_FULL},
    {ENOENT, ERRORS_SEND_AWAY},
    {ENOTDIR, ERRORS_SEND_AWAY},
    {ECONNREFUSED, ERRORS_SEND_AWAY},
    {ENOTCONN, ERRORS_SEND_AWAY},
    {ECONNRESET, ERRORS_SEND_AWAY},
    {EPIPE, ERRORS_SEND_LEAVING},
    {ENOBUFS, ERRORS_SEND_RETRY},
    {ENOMEM, ERRORS_SEND_RETRY},
    {EINTR, ERRORS_SEND_RETRY},
    {ETOOMANYREFS, ERRORS_SEND_RETRY},
    /* Resources of the engine, not an error of the worker. */
    {EMFILE, ERRORS_SEND_RETRY},
    {ENFILE, ERRORS_SEND_RETRY},
    {ELOOP, ERRORS_SEND_FAULT},
    {EACCES, ERRORS_SEND_FAULT},
    {EPERM, ERRORS_SEND_FAULT},
    {ENOTSOCK, ERRORS_SEND_FAULT},
    {EPROTOTYPE, ERRORS_SEND_FAULT},
    {EMSGSIZE, ERRORS_SEND_BUG},
    {EINVAL, ERRORS_SEND_BUG},
    {EBADF, ERRORS_SEND_BUG},
};

static int
is_expected(const struct expected *table, size_t count, int error)
{
	for (size_t i = 0; i < count; i++)
		if (table[i].error == error)
			return 1;
	return 0;
}

START_TEST(an_errno_of_accept_means_what_accept_2_says)
{
	const struct expected *expected = &accepts[_i];

	ck_assert_msg(
	    (int)errors_of_accept(expected->error) == expected->meaning,
	    "%s: %d", strerror(expected->error),
	    (int)errors_of_accept(expected->error));
}
END_TEST

START_TEST(any_other_errno_of_accept_is_a_broken_listener)
{
	for (int error = -1; error < ERRNOS; error++)
		if (!is_expected(accepts, UNIT_COUNT(accepts), error))
			ck_assert_msg(
			    errors_of_accept(error) == ERRORS_ACCEPT_BROKEN,
			    "%s", strerror(error));
}
END_TEST

START_TEST(an_errno_of_a_mailbox_means_what_unix_7_says)
{
	const struct expected *expected = &sends[_i];

	ck_assert_msg((int)errors_of_send(expected->error) == expected->meaning,
	    "%s: %d", strerror(expected->error),
	    (int)errors_of_send(expected->error));
}
END_TEST

START_TEST(any_other_errno_of_a_mailbox_is_our_bug)
{
	for (int error = -1; error < ERRNOS; error++)
		if (!is_expected(sends, UNIT_COUNT(sends), error))
			ck_assert_msg(errors_of_send(error) == ERRORS_SEND_BUG,
			    "%s", strerror(error));
}
END_TEST

START_TEST(want_of_memory_passes_and_the_end_does_not)
{
	ck_assert(errors_is_passing(EAGAIN));
	ck_assert(errors_is_passing(EINTR));
	ck_assert(errors_is_passing(ENOMEM));
	ck_assert(errors_is_passing(ENOBUFS));
	ck_assert(!errors_is_passing(ECONNRESET));
	ck_assert(!errors_is_passing(EBADF));
}
END_TEST

UNIT_SUITE(errors)
{
	TCase *tc = unit_case(suite, "errors");

	tcase_add_loop_test(tc, an_errno_of_accept_means_what_accept_2_says, 0,
	    (int)UNIT_COUNT(accepts));
	tcase_add_test(tc, any_other_errno_of_accept_is_a_broken_listener);
	tcase_add_loop_test(tc, an_errno_of_a_mailbox_means_what_unix_7_says, 0,
	    (int)UNIT_COUNT(sends));
	tcase_add_test(tc, any_other_errno_of_a_mailbox_is_our_bug);
	tcase_add_test(tc, want_of_memory_passes_and_the_end_does_not);
}
