/* SPDX-License-Identifier: ISC */
/*
 * What errors mean: two tables, no state.  Engine, unprivileged.
 */
#include "engine/verdict.h"

#include <errno.h>
#include <stddef.h>

struct verdict_rule {
	int error;
	int verdict;
};

/* accept(2), "Error handling": pending network errors of the new socket come
 * out of accept and mean that connection only.  EPERM is a firewall's. */
static const struct verdict_rule verdict_accepts[] = {
    {EAGAIN, VERDICT_EMPTY},
    {EINTR, VERDICT_SKIP},
    {ECONNABORTED, VERDICT_SKIP},
    {ECONNRESET, VERDICT_SKIP},
    {ENETDOWN, VERDICT_SKIP},
    {EPROTO, VERDICT_SKIP},
    {ENOPROTOOPT, VERDICT_SKIP},
    {EHOSTDOWN, VERDICT_SKIP},
    {ENONET, VERDICT_SKIP},
    {EHOSTUNREACH, VERDICT_SKIP},
    {EOPNOTSUPP, VERDICT_SKIP},
    {ENETUNREACH, VERDICT_SKIP},
    {ETIMEDOUT, VERDICT_SKIP},
    {EPROTONOSUPPORT, VERDICT_SKIP},
    {ESOCKTNOSUPPORT, VERDICT_SKIP},
    {EPERM, VERDICT_SKIP},
    {EMFILE, VERDICT_PAUSE},
    {ENFILE, VERDICT_PAUSE},
    {ENOBUFS, VERDICT_PAUSE},
    {ENOMEM, VERDICT_PAUSE},
};

/* unix(7); ENOTCONN follows ECONNREFUSED on the same socket.  EPIPE is a
 * receiver that called shutdown(SHUT_RD). */
static const struct verdict_rule verdict_sends[] = {
    {EAGAIN, VERDICT_FULL},
    {ENOENT, VERDICT_AWAY},
    {ENOTDIR, VERDICT_AWAY},
    {ECONNREFUSED, VERDICT_AWAY},
    {ENOTCONN, VERDICT_AWAY},
    {ECONNRESET, VERDICT_AWAY},
    {EPIPE, VERDICT_LEAVING},
    {ENOBUFS, VERDICT_RETRY},
    {ENOMEM, VERDICT_RETRY},
    {EINTR, VERDICT_RETRY},
    {EMFILE, VERDICT_RETRY},
    {ENFILE, VERDICT_RETRY},
    {ETOOMANYREFS, VERDICT_RETRY},
    {ELOOP, VERDICT_FAULT},
    {EACCES, VERDICT_FAULT},
    {EPERM, VERDICT_FAULT},
    {ENOTSOCK, VERDICT_FAULT},
    {EPROTOTYPE, VERDICT_FAULT},
};

static int
verdict_find(
    const struct verdict_rule *rules, size_t count, int error, int otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].error == error)
			return rules[i].verdict;
	return otherwise;
}

enum verdict_accept
verdict_of_accept(int error)
{
	return (enum verdict_accept)verdict_find(verdict_accepts,
	    sizeof(verdict_accepts) / sizeof(verdict_accepts[0]), error,
	    VERDICT_BROKEN);
}

enum verdict_send
verdict_of_send(int error)
{
	return (enum verdict_send)verdict_find(verdict_sends,
	    sizeof(verdict_sends) / sizeof(verdict_sends[0]), error,
	    VERDICT_BUG);
}
