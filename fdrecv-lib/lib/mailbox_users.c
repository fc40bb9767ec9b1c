/* SPDX-License-Identifier: ISC */
/*
 * The processes that use a mailbox.  Runs in each of them.
 *
 * After fork(2) several processes have the socket.  Locks of fcntl(2) on it say
 * which ones use it, and who is the owner: children do not inherit locks, and
 * the kernel releases them when a process ends.  It does so as well when this
 * process closes any descriptor of the socket, so it has only one.
 */
#include "lib/mailbox_users.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/* The bytes that are locked: by the owner; for each addressee by the process
 * that is it; and by the children who use the mailbox beside it. */
#define MAILBOX_USERS_OWNER 0
#define MAILBOX_USERS_EACH 1
#define MAILBOX_USERS_SHARERS (MAILBOX_USERS_EACH + UINT16_MAX + 1)

/* Attempts to take a lock that others hold for an instant. */
#define MAILBOX_USERS_YIELDS 1000

/* Async-signal-safe.  The type of the lock afterwards, or with F_GETLK that of
 * another process; -1 with errno. */
static int
mailbox_users_lock(int mailbox_fd, int command, short type, off_t byte)
{
	struct flock lock = {
	    .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

	return fcntl(mailbox_fd, command, &lock) == -1 ? -1 : lock.l_type;
}

int
fdrecv_mailbox_users_own(int mailbox_fd)
{
	return mailbox_users_lock(
		   mailbox_fd, F_SETLK, F_WRLCK, MAILBOX_USERS_OWNER) != -1;
}

void
fdrecv_mailbox_users_add(int mailbox_fd, uint16_t addressee)
{
	int saved = errno;

	mailbox_users_lock(mailbox_fd, F_SETLK, F_WRLCK, MAILBOX_USERS_OWNER);
	mailbox_users_lock(
	    mailbox_fd, F_SETLK, F_RDLCK, MAILBOX_USERS_EACH + addressee);
	errno = saved;
}

int
fdrecv_mailbox_users_has(int mailbox_fd, uint16_t addressee)
{
	int saved = errno;
	int found = mailbox_users_lock(
	    mailbox_fd, F_GETLK, F_WRLCK, MAILBOX_USERS_EACH + addressee);

	errno = saved;
	return found != F_UNLCK;
}

int
fdrecv_mailbox_users_succeed(int mailbox_fd, uint16_t parents)
{
	off_t byte = MAILBOX_USERS_SHARERS + parents;
	int alive = 1, saved = errno;

	for (int try = 0; try < MAILBOX_USERS_YIELDS; try++) {
		if (mailbox_users_lock(mailbox_fd, F_SETLK, F_WRLCK, byte) !=
		    -1) {
			alive = fdrecv_mailbox_users_has(mailbox_fd, parents);
			mailbox_users_lock(mailbox_fd, F_SETLK,
			    alive ? F_RDLCK : F_UNLCK, byte);
			break;
		}
		/* Only those that have decided lock it for reading. */
		if (mailbox_users_lock(mailbox_fd, F_GETLK, F_WRLCK, byte) ==
			F_RDLCK &&
		    mailbox_users_lock(mailbox_fd, F_SETLK, F_RDLCK, byte) !=
			-1)
			break;
		sched_yield(); /* another child is just here */
	}
	errno = saved;
	return !alive;
}
