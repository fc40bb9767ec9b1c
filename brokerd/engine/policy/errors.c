/* SPDX-License-Identifier: ISC */
/*
 * What errors mean.  Pure.
 */
#include "engine/policy/errors.h"

#include <errno.h>

int
errors_is_passing(int error)
{
	return error == EAGAIN || error == EINTR || error == ENOMEM ||
	    error == ENOBUFS;
}

/* See accept(2), "Error handling": accept returns network errors that are
 * pending on the new socket, and these concern that connection only.  EPERM
 * comes from a firewall. */
enum errors_accept
errors_of_accept(int error)
{
	switch (error) {
	case EAGAIN:
		return ERRORS_ACCEPT_EMPTY;
	case EINTR:
	case ECONNABORTED:
	case ECONNRESET:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case ETIMEDOUT:
	case EPROTONOSUPPORT:
	case ESOCKTNOSUPPORT:
	case EPERM:
		return ERRORS_ACCEPT_SKIP;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		return ERRORS_ACCEPT_PAUSE;
	default:
		return ERRORS_ACCEPT_BROKEN;
	}
}

/* See unix(7).  ENOTCONN follows ECONNREFUSED on the same socket; EPIPE means
 * that the receiver called shutdown(SHUT_RD). */
enum errors_send
errors_of_send(int error)
{
	switch (error) {
	case EAGAIN:
		return ERRORS_SEND_FULL;
	case ENOENT:
	case ENOTDIR:
	case ECONNREFUSED:
	case ENOTCONN:
	case ECONNRESET:
		return ERRORS_SEND_AWAY;
	case EPIPE:
		return ERRORS_SEND_LEAVING;
	case ENOBUFS:
	case ENOMEM:
	case EINTR:
	case EMFILE:
	case ENFILE:
	case ETOOMANYREFS:
		return ERRORS_SEND_RETRY;
	case ELOOP:
	case EACCES:
	case EPERM:
	case ENOTSOCK:
	case EPROTOTYPE:
		return ERRORS_SEND_FAULT;
	default:
		return ERRORS_SEND_BUG;
	}
}
