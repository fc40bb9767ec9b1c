/* SPDX-License-Identifier: ISC */
/*
 * Workers with libfdrecv that may give up rights once their mailbox is open.
 * open keeps all; chroot confines itself to a directory, as root, and becomes
 * that user; filter is killed at a system call other than those named, which
 * libfdrecv makes, and those in this file.
 */
#include "fdrecv.h"
#include "tool.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <err.h>
#include <errno.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define CALL(name)                \
	{                         \
#name, SYS_##name \
	}
#define CODE_MAX 96

static const struct {
	const char *name;
	int number;
} calls[] = {
#ifdef SYS_poll
    CALL(poll),
#endif
    CALL(ppoll), CALL(recvmsg), CALL(sendmsg), CALL(sendto), CALL(close),
    CALL(fcntl), CALL(fstat), CALL(newfstatat), CALL(mmap), CALL(munmap),
    CALL(epoll_ctl), CALL(getsockopt), CALL(getsockname), CALL(getpeername),
    CALL(clock_gettime), CALL(unlinkat), CALL(shutdown), CALL(waitid)};

static struct fdrecv *mailbox;
static struct sock_filter code[CODE_MAX];
static unsigned short length;

static void
on_sigterm(int number)
{
	(void)number;
	fdrecv_drain(mailbox);
}

static void
open_mailbox(const char *path)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;

	options.flags = FDRECV_NONBLOCK;
	mailbox = fdrecv_open(path, &options);
	if (mailbox == NULL || fdrecv_fd(mailbox) == -1)
		err(71, "%s", path);
	signal(SIGTERM, on_sigterm);
}

static void
enter_chroot(const char *directory, const char *user, const char *path)
{
	uid_t uid = (uid_t)tool_number(user, 1, UINT32_MAX - 1);

	if (setgroups(0, NULL) == -1 || setegid(uid) == -1 ||
	    seteuid(uid) == -1)
		err(71, "seteuid");
	open_mailbox(path);
	if (seteuid(0) == -1 || chroot(directory) == -1 || chdir("/") == -1 ||
	    setresgid(uid, uid, uid) == -1 || setresuid(uid, uid, uid) == -1)
		err(71, "%s", directory);
}

static void
allow(int number)
{
	const struct sock_filter more[] = {
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)number, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};

	memcpy(code + length, more, sizeof(more));
	length += 2;
}

static void
enter_filter(char **names)
{
	const struct sock_filter load = BPF_STMT(
	    BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	const struct sock_filter kill =
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	struct sock_fprog program = {.filter = code};
	size_t i;

	code[length++] = load;
	for (; *names != NULL && length < CODE_MAX - 9; names++) {
		for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
			if (strcmp(calls[i].name, *names) == 0)
				break;
		if (i == sizeof(calls) / sizeof(calls[0]))
			errx(64, "%s: not known here", *names);
		allow(calls[i].number);
	}
	allow(SYS_write); /* tool_ready(), and the answers */
	allow(SYS_exit_group);
	allow(SYS_rt_sigreturn);
	code[length++] = kill;
	program.len = length;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		err(71, "seccomp");
}

static int
serve(void)
{
	struct fdrecv_handoff handoff = FDRECV_HANDOFF_INIT;
	struct pollfd ready = {.fd = fdrecv_fd(mailbox), .events = POLLIN};
	int got;

	for (;;) {
		got = fdrecv_next(mailbox, &handoff);
		if (got == 0 && errno == EAGAIN) {
			poll(&ready, 1, -1);
			continue;
		}
		if (got != 1)
			break;
		if (handoff.kind != FDRECV_CONNECTION)
			continue; /* lent: it stays open */
		if (write(handoff.fd, "served\n", 7) == -1)
			errno = 0; /* the client has gone */
		fdrecv_done(mailbox, &handoff);
	}
	fdrecv_close(mailbox);
	return got == -1 ? 71 : 0;
}

int
main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "open") == 0) {
		open_mailbox(argv[2]);
	} else if (argc == 5 && strcmp(argv[1], "chroot") == 0) {
		enter_chroot(argv[2], argv[3], argv[4]);
	} else if (argc > 3 && strcmp(argv[1], "filter") == 0) {
		open_mailbox(argv[2]);
		enter_filter(argv + 3);
	} else {
		errx(64,
		    "usage: worker-confined open MAILBOX\n"
		    "       worker-confined chroot DIRECTORY UID MAILBOX\n"
		    "       worker-confined filter MAILBOX CALL ...");
	}
	tool_ready(STDOUT_FILENO);
	_exit(serve());
}
