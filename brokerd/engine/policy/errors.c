/* SPDX-License-Identifier: ISC */
/*
 * What errors mean: two tables, no state.  Engine, unprivileged.
 */
#include "engine/policy/errors.h"

#include <errno.h>
#include <stddef.h>

struct errors_rule {
	int error;
	int verdict;
};

/* accept(2), "Error handling": pending network errors of the new socket come
 * out of accept and mean that connection only.  EPERM is a firewall's. */
static const struct errors_rule errors_accepts[] = {
    {EAGAIN, ERRORS_EMPTY},
    {EINTR, ERRORS_SKIP},
    {ECONNABORTED, ERRORS_SKIP},
    {ECONNRESET, ERRORS_SKIP},
    {ENETDOWN, ERRORS_SKIP},
    {EPROTO, ERRORS_SKIP},
    {ENOPROTOOPT, ERRORS_SKIP},
    {EHOSTDOWN, ERRORS_SKIP},
    {ENONET, ERRORS_SKIP},
    {EHOSTUNREACH, ERRORS_SKIP},
    {EOPNOTSUPP, ERRORS_SKIP},
    {ENETUNREACH, ERRORS_SKIP},
    {ETIMEDOUT, ERRORS_SKIP},
    {EPROTONOSUPPORT, ERRORS_SKIP},
    {ESOCKTNOSUPPORT, ERRORS_SKIP},
    {EPERM, ERRORS_SKIP},
    {EMFILE, ERRORS_PAUSE},
    {ENFILE, ERRORS_PAUSE},
    {ENOBUFS, ERRORS_PAUSE},
    {ENOMEM, ERRORS_PAUSE},
};

/* unix(7); ENOTCONN follows ECONNREFUSED on the same socket.  EPIPE is a
 * receiver that called shutdown(SHUT_RD). */
static const struct errors_rule errors_sends[] = {
    {EAGAIN, ERRORS_FULL},
    {ENOENT, ERRORS_AWAY},
    {ENOTDIR, ERRORS_AWAY},
    {ECONNREFUSED, ERRORS_AWAY},
    {ENOTCONN, ERRORS_AWAY},
    {ECONNRESET, ERRORS_AWAY},
    {EPIPE, ERRORS_LEAVING},
    {ENOBUFS, ERRORS_RETRY},
    {ENOMEM, ERRORS_RETRY},
    {EINTR, ERRORS_RETRY},
    {EMFILE, ERRORS_RETRY},
    {ENFILE, ERRORS_RETRY},
    {ETOOMANYREFS, ERRORS_RETRY},
    {ELOOP, ERRORS_FAULT},
    {EACCES, ERRORS_FAULT},
    {EPERM, ERRORS_FAULT},
    {ENOTSOCK, ERRORS_FAULT},
    {EPROTOTYPE, ERRORS_FAULT},
};

static int
errors_find(
    const struct errors_rule *rules, size_t count, int error, int otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].error == error)
			return rules[i].verdict;
	return otherwise;
}

enum errors_accept
errors_of_accept(int error)
{
	return (enum errors_accept)errors_find(errors_accepts,
	    sizeof(errors_accepts) / sizeof(errors_accepts[0]), error,
	    ERRORS_BROKEN);
}

enum errors_send
errors_of_send(int error)
{
	return (enum errors_send)errors_find(errors_sends,
	    sizeof(errors_sends) / sizeof(errors_sends[0]), error, ERRORS_BUG);
}
