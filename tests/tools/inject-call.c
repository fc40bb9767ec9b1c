/* SPDX-License-Identifier: ISC */
/*
 * Makes another process make a system call, as an attacker who has taken it
 * over would.  Needs the right to trace it.
 *
 * usage: inject-call PID NUMBER [ARGUMENT ...]
 *
 * An argument is a number, "s:TEXT", a pointer to that text in the process's
 * memory, or "p:N", a pointer to N zero bytes there.  Prints "returned N",
 * "failed ERRNO TEXT", or "killed by signal N"; exit status 77: this machine
 * has another architecture.
 */
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <elf.h>
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INJECT_MEMORY 4096 /* below the stack, for texts */
#define INJECT_ARGUMENTS 6

#ifdef __x86_64__

struct inject {
	pid_t pid;
	char memory[INJECT_MEMORY];
	size_t used;
	unsigned long long base; /* of memory in the process */
};

static unsigned long long
inject_argument(struct inject *inject, const char *text)
{
	size_t at = inject->used, size;

	if (text[0] == '\0' || text[1] != ':')
		return strtoull(text, NULL, 0);
	size =
	    text[0] == 's' ? strlen(text + 2) + 1 : strtoul(text + 2, NULL, 0);
	if (size > sizeof(inject->memory) - at)
		errx(2, "%s: too long", text);
	if (text[0] == 's')
		memcpy(inject->memory + at, text + 2, size);
	inject->used += (size + 15) & ~(size_t)15;
	return inject->base + at;
}

/* The status of the process, once it has stopped or ended. */
static int
inject_wait(const struct inject *inject)
{
	int status;

	if (waitpid(inject->pid, &status, __WALL) == -1)
		err(2, "waitpid");
	if (WIFSIGNALED(status)) {
		printf("killed by signal %d\n", WTERMSIG(status));
		exit(0);
	}
	if (WIFEXITED(status)) {
		printf("ended with status %d\n", WEXITSTATUS(status));
		exit(0);
	}
	return status;
}

/* Stops it behind an instruction that makes a system call, which is where it
 * waits, or is in a moment. */
static void
inject_stop(const struct inject *inject, struct user_regs_struct *out_regs)
{
	unsigned short code;
	struct iovec local = {&code, sizeof(code)}, remote = {NULL, 2};

	if (ptrace(PTRACE_SEIZE, inject->pid, NULL,
		(void *)PTRACE_O_TRACESYSGOOD) == -1 ||
	    ptrace(PTRACE_INTERRUPT, inject->pid, NULL, NULL) == -1)
		err(2, "cannot trace %d", (int)inject->pid);
	for (;;) {
		inject_wait(inject);
		if (ptrace(PTRACE_GETREGS, inject->pid, NULL, out_regs) == -1)
			err(2, "registers");
		remote.iov_base = (void *)(out_regs->rip - 2);
		if (process_vm_readv(inject->pid, &local, 1, &remote, 1, 0) ==
			2 &&
		    code == 0x050f)
			return;
		if (ptrace(PTRACE_SYSCALL, inject->pid, NULL, NULL) == -1)
			err(2, "cannot go on");
	}
}

static long long
inject_call(struct inject *inject, int argc, char **argv)
{
	struct user_regs_struct saved, regs;
	unsigned long long values[INJECT_ARGUMENTS] = {0};
	struct iovec local = {inject->memory, 0}, remote = {NULL, 0};

	inject_stop(inject, &saved);
	inject->base = (saved.rsp - 2 * INJECT_MEMORY) & ~15ULL;
	for (int i = 1; i < argc && i <= INJECT_ARGUMENTS; i++)
		values[i - 1] = inject_argument(inject, argv[i]);
	local.iov_len = remote.iov_len = inject->used;
	remote.iov_base = (void *)inject->base;
	if (inject->used > 0 &&
	    process_vm_writev(inject->pid, &local, 1, &remote, 1, 0) == -1)
		err(2, "memory");
	regs = saved;
	regs.rip -= 2;
	regs.orig_rax = (unsigned long long)-1; /* nothing to restart */
	regs.rax = strtoull(argv[0], NULL, 0);
	regs.rdi = values[0];
	regs.rsi = values[1];
	regs.rdx = values[2];
	regs.r10 = values[3];
	regs.r8 = values[4];
	regs.r9 = values[5];
	if (ptrace(PTRACE_SETREGS, inject->pid, NULL, &regs) == -1)
		err(2, "cannot make it call");
	while (regs.rip == saved.rip - 2) { /* another stop may come first */
		if (ptrace(PTRACE_SINGLESTEP, inject->pid, NULL, NULL) == -1)
			err(2, "cannot make it call");
		inject_wait(inject);
		if (ptrace(PTRACE_GETREGS, inject->pid, NULL, &regs) == -1)
			err(2, "registers");
	}
	if (ptrace(PTRACE_SETREGS, inject->pid, NULL, &saved) == -1 ||
	    ptrace(PTRACE_DETACH, inject->pid, NULL, NULL) == -1)
		err(2, "cannot let it go on");
	return (long long)regs.rax;
}

int
main(int argc, char **argv)
{
	static struct inject inject;
	long long result;

	if (argc < 3)
		errx(2, "usage: inject-call PID NUMBER [ARGUMENT ...]");
	inject.pid = (pid_t)strtol(argv[1], NULL, 10);
	result = inject_call(&inject, argc - 2, argv + 2);
	if (result < 0 && result > -4096)
		printf("failed %s %s\n", strerrorname_np((int)-result),
		    strerror((int)-result));
	else
		printf("returned %lld\n", result);
	return 0;
}

#else

int
main(void)
{
	return 77;
}

#endif
