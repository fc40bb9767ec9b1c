/* SPDX-License-Identifier: ISC */
/*
 * What errors mean.  Pure.
 */
#include "engine/policy/errors.h"

#include <errno.h>
#include <stddef.h>

struct errors_rule {
	int error;
	int meaning;
};

/* See accept(2), "Error handling": accept returns network errors that are
 * pending on the new socket, and these concern that connection only.  EPERM
 * comes from a firewall. */
static const struct errors_rule errors_accepts[] = {
    {EAGAIN, ERRORS_ACCEPT_EMPTY},
    {EINTR, ERRORS_ACCEPT_SKIP},
    {ECONNABORTED, ERRORS_ACCEPT_SKIP},
    {ECONNRESET, ERRORS_ACCEPT_SKIP},
    {ENETDOWN, ERRORS_ACCEPT_SKIP},
    {EPROTO, ERRORS_ACCEPT_SKIP},
    {ENOPROTOOPT, ERRORS_ACCEPT_SKIP},
    {EHOSTDOWN, ERRORS_ACCEPT_SKIP},
    {ENONET, ERRORS_ACCEPT_SKIP},
    {EHOSTUNREACH, ERRORS_ACCEPT_SKIP},
    {EOPNOTSUPP, ERRORS_ACCEPT_SKIP},
    {ENETUNREACH, ERRORS_ACCEPT_SKIP},
    {ETIMEDOUT, ERRORS_ACCEPT_SKIP},
    {EPROTONOSUPPORT, ERRORS_ACCEPT_SKIP},
    {ESOCKTNOSUPPORT, ERRORS_ACCEPT_SKIP},
    {EPERM, ERRORS_ACCEPT_SKIP},
    {EMFILE, ERRORS_ACCEPT_PAUSE},
    {ENFILE, ERRORS_ACCEPT_PAUSE},
    {ENOBUFS, ERRORS_ACCEPT_PAUSE},
    {ENOMEM, ERRORS_ACCEPT_PAUSE},
};

/* See unix(7).  ENOTCONN follows ECONNREFUSED on the same socket; EPIPE means
 * that the receiver called shutdown(SHUT_RD). */
static const struct errors_rule errors_sends[] = {
    {EAGAIN, ERRORS_SEND_FULL},
    {ENOENT, ERRORS_SEND_AWAY},
    {ENOTDIR, ERRORS_SEND_AWAY},
    {ECONNREFUSED, ERRORS_SEND_AWAY},
    {ENOTCONN, ERRORS_SEND_AWAY},
    {ECONNRESET, ERRORS_SEND_AWAY},
    {EPIPE, ERRORS_SEND_LEAVING},
    {ENOBUFS, ERRORS_SEND_RETRY},
    {ENOMEM, ERRORS_SEND_RETRY},
    {EINTR, ERRORS_SEND_RETRY},
    {EMFILE, ERRORS_SEND_RETRY},
    {ENFILE, ERRORS_SEND_RETRY},
    {ETOOMANYREFS, ERRORS_SEND_RETRY},
    {ELOOP, ERRORS_SEND_FAULT},
    {EACCES, ERRORS_SEND_FAULT},
    {EPERM, ERRORS_SEND_FAULT},
    {ENOTSOCK, ERRORS_SEND_FAULT},
    {EPROTOTYPE, ERRORS_SEND_FAULT},
};

static int
errors_find(
    const struct errors_rule *rules, size_t count, int error, int otherwise)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].error == error)
			return rules[i].meaning;
	return otherwise;
}

enum errors_accept
errors_of_accept(int error)
{
	return (enum errors_accept)errors_find(errors_accepts,
	    sizeof(errors_accepts) / sizeof(errors_accepts[0]), error,
	    ERRORS_ACCEPT_BROKEN);
}

enum errors_send
errors_of_send(int error)
{
	return (enum errors_send)errors_find(errors_sends,
	    sizeof(errors_sends) / sizeof(errors_sends[0]), error,
	    ERRORS_SEND_BUG);
}
