/* SPDX-License-Identifier: ISC */
/*
 * What each process may ask of the kernel.  The engine and the keeper cannot
 * execute, make processes or namespaces, open files for writing, make sockets
 * of a network, or signal, trace or limit others.  A test compares the lists
 * with what the processes do.
 */
#include "filter/lists.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <linux/sockios.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stddef.h>

/* The arguments of a call; the kernel looks at 32 bits of an int. */
#define INT(number, value)                \
	{                                 \
		number, UINT32_MAX, value \
	}
#define WITHOUT(number, bits)   \
	{                       \
		number, bits, 0 \
	}
#define WITH(number, bit)        \
	{                        \
		number, bit, bit \
	}
#define BITS(number, mask, value)   \
	{                           \
		number, mask, value \
	}
#define IS_NULL(number)               \
	{                             \
		number, UINT64_MAX, 0 \
	}

#define GROUP(text, what, ...)                                     \
	{                                                          \
		.names = text, .kind = CALL_##what, .arguments = { \
			__VA_ARGS__                                \
		}                                                  \
	}
#define ALLOW(text, ...) GROUP(text, ALLOWED, __VA_ARGS__)
#define RARE(text, ...) GROUP(text, RARE, __VA_ARGS__)
#define FORBID(text, ...) GROUP(text, FORBIDDEN, __VA_ARGS__)
#define REFUSE(text, number)                                             \
	{                                                                \
		.names = (text), .kind = CALL_REFUSED, .error = (number) \
	}
#define END                   \
	{                     \
		.names = NULL \
	}

#ifdef __s390__
#define LISTS_CLONE 2 /* the argument with the flags */
#else
#define LISTS_CLONE 1
#endif

#define LISTS_TYPE 15 /* of a socket; the other bits are flags */
#define LISTS_WRITE (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)

/* Everybody: the C library, the log, and the end.  Rare are those that
 * malloc(3) makes for much memory, stdio for files, abort(3), and other C
 * libraries, and the times, which mostly need no call. */
static const struct call_group lists_common[] = {
    RARE("brk munmap mremap madvise"),
    ALLOW("exit_group"),
    RARE("exit"),
    RARE("rt_sigprocmask sigprocmask restart_syscall"),
    RARE("rt_sigreturn sigreturn"),
    RARE("futex futex_time64"),
    RARE("clock_gettime clock_gettime64 gettimeofday time"),
    RARE("clock_nanosleep clock_nanosleep_time64 nanosleep"),
    RARE("getrandom"),
    RARE("getpid gettid getppid"),
    RARE("getuid geteuid getgid getegid getuid32 geteuid32 getgid32 getegid32"),
    RARE("poll ppoll ppoll_time64"),
    RARE("write writev"), /* writev: abort(3) */
    ALLOW("sendto", WITHOUT(4, MSG_FASTOPEN)),
    RARE("send"), /* where it is not sendto(2) */
    ALLOW("close"),
    RARE("fstat fstat64 newfstatat fstatat64 stat stat64 lstat lstat64 statx"),
    RARE("lseek _llseek"),
    RARE("openat", WITHOUT(3, LISTS_WRITE)),
    RARE("open", WITHOUT(2, LISTS_WRITE)),
    RARE("getdents64 getdents"),
    RARE("fcntl fcntl64", INT(2, F_GETFL)),
    RARE("fcntl fcntl64", INT(2, F_GETFD)),
    RARE("fcntl fcntl64", INT(2, F_SETFD)),
    RARE("ioctl", INT(2, TCGETS)), /* stdio, isatty(3) */
    /* abort(3) then ends the process in another way. */
    REFUSE("tgkill tkill", EPERM),
    /* The C library has older ones. */
    REFUSE(
	"clone3 openat2 faccessat2 epoll_pwait2 set_robust_list rseq", ENOSYS),
    END,
};

/* Data only: neither engine nor keeper runs code that it has made or loaded. */
static const struct call_group lists_data[] = {
    RARE("mmap mmap2", WITHOUT(3, PROT_EXEC)),
    RARE("mprotect", WITHOUT(3, PROT_EXEC)),
    END,
};

static const struct call_group lists_engine[] = {
    ALLOW("epoll_wait epoll_pwait"),
    ALLOW("epoll_ctl"),
    RARE("select _newselect pselect6 pselect6_time64"), /* likewise */
    ALLOW("accept4"),
    /* For mailboxes.  With others it could fill the queues of sockets that
     * listen with descriptors, which count for its successor. */
    ALLOW("socket", INT(1, AF_UNIX), BITS(2, LISTS_TYPE, SOCK_DGRAM)),
    ALLOW("socketpair", INT(1, AF_UNIX)),
    ALLOW("connect"),
    ALLOW("listen"),
    ALLOW("shutdown"),
    ALLOW("getsockopt"),
    ALLOW("getsockname"),
    ALLOW("getpeername"),
    ALLOW("recvfrom recv"),
    ALLOW("recvmsg"),
    ALLOW("sendmsg", WITHOUT(3, MSG_FASTOPEN)),
    ALLOW("sendmmsg", WITHOUT(4, MSG_FASTOPEN)),
    ALLOW("read readv"),
    ALLOW("pread64"),
    ALLOW("readlink readlinkat"),
    ALLOW("ftruncate ftruncate64"),
    ALLOW("dup2 dup3"), /* an orphan */
    ALLOW("memfd_create"),
    RARE("fcntl fcntl64", INT(2, F_DUPFD_CLOEXEC)), /* when they run short */
    ALLOW("fcntl fcntl64", INT(2, F_SETFL)),
    ALLOW("fcntl fcntl64", INT(2, F_SETOWN), INT(3, 0)),
    ALLOW("fcntl fcntl64", INT(2, F_ADD_SEALS)),
    ALLOW("fcntl fcntl64", INT(2, F_GET_SEALS)),
    ALLOW("ioctl", INT(2, SIOCINQ)),
    ALLOW("ioctl", INT(2, SIOCOUTQ)),
    ALLOW("inotify_init1"),
    ALLOW("inotify_add_watch inotify_rm_watch"),
    ALLOW("pidfd_open"),
    ALLOW("rt_sigaction sigaction"),
    ALLOW("setitimer"),
    ALLOW("prctl", INT(1, PR_SET_TIMERSLACK)),
    ALLOW("prlimit64", INT(1, 0), IS_NULL(3)),
    RARE("getrlimit ugetrlimit"), /* where prlimit64 is not used for it */
    END,
};

static const struct call_group lists_keeper[] = {
    ALLOW("accept4"),
    ALLOW("socketpair", INT(1, AF_UNIX)),
    ALLOW("getsockopt"),
    ALLOW("getsockname getpeername"),
    ALLOW("recvfrom recv"),
    ALLOW("sendmsg", WITHOUT(3, MSG_FASTOPEN)),
    ALLOW("fcntl fcntl64", INT(2, F_ADD_SEALS)),
    ALLOW("ioctl", INT(2, SIOCOUTQ)),
    ALLOW("rt_sigaction sigaction"),
    ALLOW("setitimer"),
    END,
};

/* A list of allowed calls would have to know all modules of nsswitch.conf(5).
 */
static const struct call_group lists_reader[] = {
    FORBID("execve execveat fork vfork"),
    FORBID("clone", WITHOUT(LISTS_CLONE, CLONE_THREAD)),
    FORBID("kill pidfd_send_signal rt_sigqueueinfo rt_tgsigqueueinfo"),
    FORBID("listen accept accept4"),
    END,
};

/* What the monitor never needs, nor what it starts. */
static const struct call_group lists_monitor[] = {
    FORBID("ptrace process_vm_readv process_vm_writev process_madvise kcmp "
	   "pidfd_getfd"),
    FORBID("unshare setns"),
    FORBID("clone", WITH(LISTS_CLONE, CLONE_NEWNS)),
    FORBID("clone", WITH(LISTS_CLONE, CLONE_NEWCGROUP)),
    FORBID("clone", WITH(LISTS_CLONE, CLONE_NEWUTS)),
    FORBID("clone", WITH(LISTS_CLONE, CLONE_NEWIPC)),
    FORBID("clone", WITH(LISTS_CLONE, CLONE_NEWUSER)),
    FORBID("clone", WITH(LISTS_CLONE, CLONE_NEWPID)),
    FORBID("clone", WITH(LISTS_CLONE, CLONE_NEWNET)),
    REFUSE("clone3", ENOSYS),
    FORBID("mount umount umount2 pivot_root chroot move_mount open_tree "
	   "open_tree_attr fsopen fsconfig fsmount fspick mount_setattr"),
    FORBID(
	"init_module finit_module delete_module create_module kexec_load "
	"kexec_file_load reboot swapon swapoff acct quotactl quotactl_fd syslog"),
    FORBID("settimeofday clock_settime clock_settime64 clock_adjtime "
	   "clock_adjtime64 adjtimex stime sethostname setdomainname"),
    FORBID("bpf perf_event_open userfaultfd io_uring_setup io_uring_enter "
	   "io_uring_register fanotify_init fanotify_mark"),
    FORBID("keyctl add_key request_key"),
    FORBID("name_to_handle_at open_by_handle_at mknod mknodat"),
    FORBID("iopl ioperm modify_ldt vm86 vm86old personality uselib"),
    FORBID(
	"move_pages migrate_pages lookup_dcookie nfsservctl _sysctl vhangup"),
    END,
};

const struct call_list lists[] = {
    {"monitor", 1, {lists_monitor}},
    {"engine", 0, {lists_common, lists_data, lists_engine, list_options}},
    {"keeper", 0, {lists_common, lists_data, lists_keeper}},
    {"reader", 1, {lists_reader}},
    {.name = NULL},
};
