/* SPDX-License-Identifier: ISC */
/*
 * The filter of the engine, against calls that would bind its successor or
 * reach another process.  Each is made by a child, which the kernel kills.
 */
#include "fixture/unit.h"

#include "base/filter.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Of the kernel; the headers of the C library have not all of them. */
#define SOCKET_ATTACH_FILTER 26
#define SOCKET_LOCK_FILTER 44
#define SOCKET_ATTACH_BPF 50
#define SOCKET_ATTACH_REUSEPORT_CBPF 51
#define SOCKET_ATTACH_REUSEPORT_EBPF 52
#define SOCKET_BINDTOIFINDEX 62
#define SOCKET_TXREHASH 74
#define TCP_OPTION_AO_ADD_KEY 38
#define TCP_OPTION_AO_INFO 40
#define INTERNET_LOCAL_PORT_RANGE 51

#define CALL(name, ...)             \
	{                           \
#name, SYS_##name,  \
		{                   \
			__VA_ARGS__ \
		}                   \
	}
#define OPTION(level, name)                   \
	{                                     \
#name, SYS_setsockopt,        \
		{                             \
			-1, level, name, 0, 4 \
		}                             \
	}

static const struct {
	const char *name;
	long number;
	long arguments[6];
} calls[] = {
    /* Options that stay. */
    OPTION(SOL_SOCKET, SOCKET_ATTACH_FILTER),
    OPTION(SOL_SOCKET, SOCKET_LOCK_FILTER),
    OPTION(SOL_SOCKET, SOCKET_ATTACH_BPF),
    OPTION(SOL_SOCKET, SOCKET_ATTACH_REUSEPORT_CBPF),
    OPTION(SOL_SOCKET, SOCKET_ATTACH_REUSEPORT_EBPF),
    OPTION(SOL_SOCKET, SOCKET_BINDTOIFINDEX),
    OPTION(SOL_SOCKET, SOCKET_TXREHASH),
    OPTION(IPPROTO_TCP, TCP_MD5SIG),
    OPTION(IPPROTO_TCP, TCP_MD5SIG_EXT),
    OPTION(IPPROTO_TCP, TCP_OPTION_AO_ADD_KEY),
    OPTION(IPPROTO_TCP, TCP_OPTION_AO_INFO),
    OPTION(IPPROTO_TCP, TCP_ULP),
    OPTION(IPPROTO_TCP, TCP_REPAIR),
    OPTION(IPPROTO_TCP, TCP_FASTOPEN_KEY),
    OPTION(IPPROTO_TCP, TCP_SAVE_SYN),
    OPTION(IPPROTO_IP, IP_TRANSPARENT),
    OPTION(IPPROTO_IP, IP_UNICAST_IF),
    OPTION(IPPROTO_IP, IP_BLOCK_SOURCE),
    OPTION(IPPROTO_IP, IP_MULTICAST_ALL),
    OPTION(IPPROTO_IP, INTERNET_LOCAL_PORT_RANGE),
    OPTION(IPPROTO_IPV6, IPV6_ADDRFORM),
    OPTION(IPPROTO_IPV6, IPV6_V6ONLY),
    OPTION(IPPROTO_IPV6, IPV6_UNICAST_IF),
    /* Other sockets, and a connection without connect(2), which Landlock would
     * refuse. */
    CALL(socket, AF_UNIX, SOCK_STREAM),
    CALL(socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC),
    CALL(socket, AF_INET, SOCK_DGRAM),
    CALL(socket, AF_INET6, SOCK_STREAM),
    CALL(socket, AF_NETLINK, SOCK_RAW),
    CALL(socket, AF_ALG, SOCK_SEQPACKET),
    CALL(socket, AF_VSOCK, SOCK_STREAM),
    CALL(socketpair, AF_TIPC, SOCK_STREAM),
    CALL(bind, -1),
    CALL(sendto, -1, 0, 0, MSG_FASTOPEN | MSG_NOSIGNAL),
    CALL(sendmsg, -1, 0, MSG_FASTOPEN),
    CALL(sendmmsg, -1, 0, 0, MSG_FASTOPEN),
    /* Signals, locks and sizes that outlast it. */
    CALL(fcntl, 0, F_SETOWN, 1),
    CALL(fcntl, 0, F_SETOWN_EX),
    CALL(fcntl, 0, F_SETSIG, SIGKILL),
    CALL(fcntl, 0, F_SETLEASE, F_WRLCK),
    CALL(fcntl, 0, F_NOTIFY),
    CALL(fcntl, 0, F_SETPIPE_SZ, 1),
    CALL(fcntl, 0, F_SETLK),
    CALL(fcntl, 0, F_OFD_SETLK),
    CALL(flock, 0),
    CALL(ioctl, 0, TIOCSTI),
    CALL(ioctl, 0, SIOCSPGRP),
    CALL(ioctl, 0, FIOSETOWN),
    CALL(ioctl, 0, FIOASYNC),
    CALL(ioctl, 0, TCSETS),
    /* Other processes. */
    CALL(kill, 0),
    CALL(rt_sigqueueinfo, 0),
    CALL(pidfd_send_signal, 0),
    CALL(pidfd_getfd, 0),
    CALL(ptrace, 0),
    CALL(process_vm_readv, 0),
    CALL(process_vm_writev, 0),
    CALL(process_madvise, 0),
    CALL(kcmp, 0),
    CALL(prlimit64, 1, 0, 1),
    CALL(prlimit64, 0, 0, 1),
    CALL(setpriority, 0),
    CALL(ioprio_set, 0),
    CALL(sched_setscheduler, 1),
    CALL(sched_setaffinity, 1),
    CALL(sched_setattr, 1),
    CALL(migrate_pages, 1),
    CALL(move_pages, 1),
    CALL(get_robust_list, 1),
    CALL(setns, 0),
    CALL(unshare, 0),
    CALL(clone, SIGCHLD),
    CALL(execve, 0),
    CALL(execveat, 0),
    /* Code, and the rest of the kernel. */
    CALL(mmap, 0, 0, PROT_READ | PROT_EXEC),
    CALL(mprotect, 0, 0, PROT_EXEC),
    CALL(pkey_mprotect, 0),
    CALL(remap_file_pages, 0),
    CALL(prctl, PR_SET_DUMPABLE, 1),
    CALL(prctl, PR_SET_PTRACER, -1),
    CALL(seccomp, 0),
    CALL(io_uring_setup, 0),
    CALL(bpf, 0),
    CALL(userfaultfd, 0),
    CALL(perf_event_open, 0),
    CALL(keyctl, 0),
    CALL(add_key, 0),
    CALL(name_to_handle_at, 0),
    CALL(open_by_handle_at, 0),
    CALL(fanotify_init, 0),
    CALL(timer_create, 0),
    /* The kernel limits those of a user: what is left of them, in a mailbox
     * that nobody reads, its successor has not. */
    CALL(epoll_create1, 0),
    CALL(pipe2, 0),
    CALL(eventfd2, 0),
    CALL(timerfd_create, 0),
    CALL(signalfd4, -1),
    CALL(mq_open, 0),
    CALL(shmget, 0),
    CALL(semop, 0),
    CALL(personality, 0),
    CALL(mount, 0),
    /* Files. */
    CALL(openat, AT_FDCWD, 0, O_WRONLY),
    CALL(openat, AT_FDCWD, 0, O_TMPFILE | O_RDWR),
    CALL(unlinkat, AT_FDCWD),
    CALL(renameat2, AT_FDCWD),
    CALL(linkat, AT_FDCWD),
    CALL(symlinkat, 0),
    CALL(mkdirat, AT_FDCWD),
    CALL(mknodat, AT_FDCWD),
    CALL(fchmod, 0),
    CALL(fchmodat, AT_FDCWD),
    CALL(fchown, 0),
    CALL(fchownat, AT_FDCWD),
    CALL(utimensat, AT_FDCWD),
    CALL(setxattr, 0),
    CALL(fallocate, 0),
    CALL(truncate, 0),
    CALL(pwrite64, 0),
    CALL(splice, 0),
    CALL(vmsplice, 0),
};

/* The signal that ends a child that makes the call; 0: none. */
static int
signal_of(int i)
{
	const long *arguments = calls[i].arguments;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		if (!filter_enter(&filter_engine))
			_exit(1);
		syscall(calls[i].number, arguments[0], arguments[1],
		    arguments[2], arguments[3], arguments[4], arguments[5]);
		syscall(SYS_exit_group, 0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -WEXITSTATUS(status);
}

START_TEST(a_call_that_the_engine_does_not_need_kills_it)
{
	int signal;

	if (filter_engine.program.len == 0)
		return; /* built without */
	signal = signal_of(_i);
	if (signal == -1)
		return; /* a container refuses filters */
	ck_assert_msg(signal == SIGSYS, "%s %ld: %d", calls[_i].name,
	    calls[_i].arguments[1], signal);
}
END_TEST

UNIT_SUITE(filter)
{
	TCase *tc = unit_case(suite, "engine");

	tcase_add_loop_test(tc, a_call_that_the_engine_does_not_need_kills_it,
	    0, UNIT_COUNT(calls));
}
