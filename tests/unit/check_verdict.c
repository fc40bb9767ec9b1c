/* SPDX-License-Identifier: ISC */
/*
 * What every errno means, of accept4(2) as accept(2) says, of connect(2) and
 * sendmsg(2) as unix(7) does; and that none was forgotten or made up.
 */
#include "unit.h"

#include "engine/verdict.h"

#include <errno.h>
#include <string.h>

#define ERRNOS 4096 /* the kernel's are below, see IS_ERR_VALUE() */

struct expected {
	int error;
	int verdict;
};

static const struct expected accepts[] = {
    {EAGAIN, VERDICT_EMPTY},
    {EWOULDBLOCK, VERDICT_EMPTY},
    /* The connection is gone, or a signal came: the next one may do. */
    {ECONNABORTED, VERDICT_SKIP},
    {ECONNRESET, VERDICT_SKIP},
    {EINTR, VERDICT_SKIP},
    {EPERM, VERDICT_SKIP},
    /* accept(2), "Error handling": as EAGAIN, by trying again. */
    {ENETDOWN, VERDICT_SKIP},
    {EPROTO, VERDICT_SKIP},
    {ENOPROTOOPT, VERDICT_SKIP},
    {EHOSTDOWN, VERDICT_SKIP},
    {ENONET, VERDICT_SKIP},
    {EHOSTUNREACH, VERDICT_SKIP},
    {EOPNOTSUPP, VERDICT_SKIP},
    {ENETUNREACH, VERDICT_SKIP},
    /* accept(2): "Linux kernels may return other errors such as". */
    {ETIMEDOUT, VERDICT_SKIP},
    {EPROTONOSUPPORT, VERDICT_SKIP},
    {ESOCKTNOSUPPORT, VERDICT_SKIP},
    /* Limits: those that wait are still there afterwards. */
    {EMFILE, VERDICT_PAUSE},
    {ENFILE, VERDICT_PAUSE},
    {ENOBUFS, VERDICT_PAUSE},
    {ENOMEM, VERDICT_PAUSE},
    /* The socket is none, does not listen, or was shut down by a worker. */
    {EBADF, VERDICT_BROKEN},
    {ENOTSOCK, VERDICT_BROKEN},
    {EINVAL, VERDICT_BROKEN},
    {EFAULT, VERDICT_BROKEN},
};

static const struct expected sends[] = {
    {EAGAIN, VERDICT_FULL},
    {EWOULDBLOCK, VERDICT_FULL},
    {ENOENT, VERDICT_AWAY},
    {ENOTDIR, VERDICT_AWAY},
    {ECONNREFUSED, VERDICT_AWAY},
    {ENOTCONN, VERDICT_AWAY},
    {ECONNRESET, VERDICT_AWAY},
    {EPIPE, VERDICT_LEAVING},
    {ENOBUFS, VERDICT_RETRY},
    {ENOMEM, VERDICT_RETRY},
    {EINTR, VERDICT_RETRY},
    {ETOOMANYREFS, VERDICT_RETRY},
    /* Ours to run out of, no fault of the worker's. */
    {EMFILE, VERDICT_RETRY},
    {ENFILE, VERDICT_RETRY},
    {ELOOP, VERDICT_FAULT},
    {EACCES, VERDICT_FAULT},
    {EPERM, VERDICT_FAULT},
    {ENOTSOCK, VERDICT_FAULT},
    {EPROTOTYPE, VERDICT_FAULT},
    {EMSGSIZE, VERDICT_BUG},
    {EINVAL, VERDICT_BUG},
    {EBADF, VERDICT_BUG},
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
	    (int)verdict_of_accept(expected->error) == expected->verdict,
	    "%s: %d", strerror(expected->error),
	    (int)verdict_of_accept(expected->error));
}
END_TEST

START_TEST(any_other_errno_of_accept_is_a_broken_listener)
{
	for (int error = -1; error < ERRNOS; error++)
		if (!is_expected(accepts, UNIT_COUNT(accepts), error))
			ck_assert_msg(
			    verdict_of_accept(error) == VERDICT_BROKEN, "%s",
			    strerror(error));
}
END_TEST

START_TEST(an_errno_of_a_mailbox_means_what_unix_7_says)
{
	const struct expected *expected = &sends[_i];

	ck_assert_msg(
	    (int)verdict_of_send(expected->error) == expected->verdict,
	    "%s: %d", strerror(expected->error),
	    (int)verdict_of_send(expected->error));
}
END_TEST

START_TEST(any_other_errno_of_a_mailbox_is_our_bug)
{
	for (int error = -1; error < ERRNOS; error++)
		if (!is_expected(sends, UNIT_COUNT(sends), error))
			ck_assert_msg(verdict_of_send(error) == VERDICT_BUG,
			    "%s", strerror(error));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("verdict");
	TCase *tc = unit_case(suite, "verdict");

	tcase_add_loop_test(tc, an_errno_of_accept_means_what_accept_2_says, 0,
	    (int)UNIT_COUNT(accepts));
	tcase_add_test(tc, any_other_errno_of_accept_is_a_broken_listener);
	tcase_add_loop_test(tc, an_errno_of_a_mailbox_means_what_unix_7_says, 0,
	    (int)UNIT_COUNT(sends));
	tcase_add_test(tc, any_other_errno_of_a_mailbox_is_our_bug);
	return unit_run(suite);
}
