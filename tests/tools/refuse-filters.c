/* SPDX-License-Identifier: ISC */
/*
 * Executes a program whose system call filters are refused, as a container or a
 * kernel without them would.
 *
 * usage: refuse-filters ERRNO PROGRAM [ARGUMENT ...]
 * ERRNO is the number of the error.
 */
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <err.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define REFUSE_LOW (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 0 : 4)

int
main(int argc, char **argv)
{
	unsigned int error = argc < 3 ? 0 : (unsigned int)atoi(argv[1]);
	struct sock_filter code[] = {
	    BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_seccomp, 3, 0),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prctl, 0, 3),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		offsetof(struct seccomp_data, args) + REFUSE_LOW),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PR_SET_SECCOMP, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

	if (error == 0)
		errx(2, "usage: refuse-filters ERRNO PROGRAM [ARGUMENT ...]");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == -1)
		err(1, "no filters here");
	execvp(argv[2], &argv[2]);
	err(1, "%s", argv[2]);
}
