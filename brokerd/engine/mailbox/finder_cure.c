/* SPDX-License-Identifier: ISC */
/*
 * What to do about mailboxes that cannot be used.  Engine, unprivileged.
 */
#include "engine/mailbox/finder.h"

#include <errno.h>

const char *
finder_cure(int error, int looked)
{
	switch (error) {
	case ENOTSOCK:
		return "it is no socket: the worker's mailbox was expected";
	case EPERM:
		return "it does not belong to the listener's owner, or lies "
		       "where strangers may write and no owner is named";
	case EACCES:
		if (!looked)
			return "the engine may not read its directory, or not "
			       "pass one on the way to it: expected mode 2750 "
			       "and the engine's group, and 0711 above it: see "
			       "namei -l";
		return "the engine may not write to it: the worker needs umask "
		       "0002, in a directory of the engine's group with mode "
		       "2750";
	case ELOOP:
		return "it is a symbolic link: the worker's mailbox was "
		       "expected";
	case EPROTOTYPE:
		return "it is a socket of another type: the worker has to "
		       "bind a SOCK_DGRAM socket";
	default:
		return "the next change to it will be looked at";
	}
}
