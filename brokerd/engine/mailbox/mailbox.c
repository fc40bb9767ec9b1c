/* SPDX-License-Identifier: ISC */
/*
 * Connects to mailboxes without a race: it connects to the inode that it has
 * checked, through an O_PATH descriptor.  Engine, unprivileged.
 */
#include "engine/mailbox/mailbox.h"

#include "base/fd.h"
#include "base/text.h"
#include "engine/mailbox/trusted_path.h"

#include "wire/datagram.h"
#include "wire/liveness.h"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <string.h>
#include <unistd.h>

/* Without an owner, a mailbox may belong to anybody for whom root has made a
 * place where nobody else can put one. */
static int
mailbox_may_be_used(const char *path, uint32_t owner, const struct stat *node)
{
	char directory[RECORD_PATH_SIZE];
	char *slash;

	if (text_copy(directory, sizeof(directory), path) == -1)
		return 0;
	slash = strrchr(directory, '/');
	if (slash == NULL)
		return 0;
	slash[slash == directory ? 1 : 0] = '\0';
	return trusted_path_is(directory, &owner) &&
	    (owner == RECORD_NO_ID || owner == node->st_uid);
}

/* An address of the node itself, whatever its name refers to by now. */
static struct sockaddr_un
mailbox_address(const struct mailbox *mailbox)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	fd_path(mailbox->node, address.sun_path);
	return address;
}

int
mailbox_is_alive(const struct mailbox *mailbox)
{
	struct sockaddr_un address = mailbox_address(mailbox);

	return fdrecv_liveness_probe(&address) != 0;
}

int
mailbox_is_removed(const struct mailbox *mailbox)
{
	struct stat st;

	return fstat(mailbox->node, &st) == 0 && st.st_nlink == 0;
}

int
mailbox_look(const char *path, uint32_t owner, struct mailbox *out_mailbox)
{
	struct stat st;
	struct mailbox dead = {.fd = -1};
	int node = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (node == -1)
		return -1;
	if (fstat(node, &st) == -1) {
		fd_close(node);
		return -1;
	}
	errno = 0;
	if (!S_ISSOCK(st.st_mode))
		errno = ENOTSOCK;
	else if (!mailbox_may_be_used(path, owner, &st))
		errno = EPERM;
	/* A socket that nobody has any more is no mailbox, whoever had it. */
	if (errno == EPERM) {
		dead.node = node;
		errno = mailbox_is_alive(&dead) ? EPERM : ECONNREFUSED;
	}
	if (errno != 0) {
		fd_close(node);
		return -1;
	}
	*out_mailbox = (struct mailbox){.node = node,
	    .fd = -1,
	    .owner = st.st_uid,
	    .device = st.st_dev,
	    .inode = st.st_ino,
	    .bound = st.st_mtim,
	    .takes_link = (st.st_mode & FDRECV_WIRE_LINK_MODE) != 0};
	return 0;
}

int
mailbox_connect(struct mailbox *mailbox)
{
	struct sockaddr_un address = mailbox_address(mailbox);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd != -1 &&
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		-1)
		fd = fd_close(fd);
	mailbox->fd = fd;
	return fd == -1 ? -1 : 0;
}

int
mailbox_send(int fd, void *bytes, size_t size, const int *fds, size_t count,
    struct mmsghdr *message)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(MAILBOX_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {bytes, size};
	struct mmsghdr own;
	const struct msghdr msg = {.msg_iov = &iov,
	    .msg_iovlen = 1,
	    .msg_control = control.bytes,
	    .msg_controllen = CMSG_SPACE(count * sizeof(int))};

	if (message == NULL)
		message = &own;
	message->msg_hdr = msg;
	memset(&control, 0, msg.msg_controllen);
	control.header = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
	    .cmsg_type = SCM_RIGHTS,
	    .cmsg_len = CMSG_LEN(count * sizeof(int))};
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	return sendmmsg(fd, message, 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 ? 0 :
									    -1;
}

int
mailbox_is_empty(const struct mailbox *mailbox)
{
	int queued;

	return ioctl(mailbox->fd, SIOCOUTQ, &queued) == 0 && queued == 0;
}

uint64_t
mailbox_queued(const struct mailbox *mailbox)
{
	int queued = 0;

	if (ioctl(mailbox->fd, SIOCOUTQ, &queued) == -1 || queued < 0)
		return 0;
	return (uint64_t)queued;
}

void
mailbox_close(struct mailbox *mailbox)
{
	mailbox->fd = fd_close(mailbox->fd);
	mailbox->node = fd_close(mailbox->node);
}
