/* SPDX-License-Identifier: ISC */
/*
 * Who is at the other end?  Engine, unprivileged.  A socket that was connected
 * knows its peer.  One end of a pair does not: there the kernel names the
 * sender of each message.
 */
#include "engine/worker/peer_process.h"

#include "base/fd.h"

#include <sys/syscall.h>

#include <string.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76 /* Linux 6.5, as the next two */
#endif
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif
#ifndef SCM_PIDFD
#define SCM_PIDFD 4
#endif

/* The process may have ended: then it may be another one that is watched, or
 * none, and the hang-up has to do. */
static int
peer_process_open(pid_t pid)
{
	return pid > 0 ? (int)syscall(SYS_pidfd_open, pid, 0) : -1;
}

void
peer_process_of_socket(int fd, struct peer_process *out_peer)
{
	struct ucred peer = {.uid = (uid_t)-1};
	socklen_t size = sizeof(peer);
	int pidfd;

	getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
	size = sizeof(pidfd);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &size) == -1)
		pidfd = peer_process_open(peer.pid);
	/* The kernel closes it on exec. */
	*out_peer = (struct peer_process){peer.uid, peer.pid, pidfd};
}

void
peer_process_ask(int fd, int on)
{
	setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_PASSPIDFD, &on, sizeof(on));
}

static size_t
peer_process_close(const struct cmsghdr *c)
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	int fd;

	for (size_t i = 0; i < count; i++) {
		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
		fd_close(fd);
	}
	return count;
}

int
peer_process_of_message(
    int fd, struct msghdr *msg, struct peer_process *out_peer)
{
	struct ucred sender = {.uid = (uid_t)-1};
	int pidfd = -1, is_known = 0;
	size_t strange = 0;

	peer_process_ask(fd, 0);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL;
	     c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS) {
			strange += peer_process_close(c);
		} else if (c->cmsg_type == SCM_PIDFD) {
			memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			memcpy(&sender, CMSG_DATA(c), sizeof(sender));
			is_known = 1;
		}
	}
	if (strange > 0 || !is_known) {
		if (pidfd >= 0)
			fd_close(pidfd);
		return -1;
	}
	/* A negative one says why the kernel could make none. */
	if (pidfd < 0)
		pidfd = peer_process_open(sender.pid);
	*out_peer = (struct peer_process){sender.uid, sender.pid, pidfd};
	return 0;
}
