/* SPDX-License-Identifier: ISC */
/*
 * fork and exec of the config reader and the engine.  Runs as root; the child
 * is root until privilege_drop().  It executes a program that the monitor
 * opened at its start, even if the file has been replaced since.
 */
#include "monitor/spawn.h"

#include "base/clock.h"
#include "base/fd.h"
#include "monitor/privilege.h"

#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define SPAWN_LOOK_MS 10

static int
spawn_prepare(const struct spawn *spawn)
{
	for (int i = 0; i < SPAWN_FDS; i++) {
		int fd = spawn->fds[i];

		if (fd == -1 && i < 3)
			fd = SPAWN_FDS - 1; /* /dev/null, see setup.c */
		if (fd != -1 && fd_place(fd, i) == -1)
			return -1;
	}
	return privilege_drop(spawn->uid, spawn->gid);
}

pid_t
spawn_start(const struct spawn *spawn, struct log *log)
{
	char **kept = environ;
	pid_t pid = fork();

	if (pid > 0)
		return pid;
	if (pid == 0) {
		for (char **e = environ; *e != NULL; e++)
			if (strncmp(*e, "JOURNAL_STREAM=", 15) == 0 ||
			    strncmp(*e, "NOTIFY_SOCKET=", 14) == 0)
				*kept++ = *e;
		*kept = NULL;
		/* A new session has no controlling terminal, so that the child
		 * cannot type into it.  fexecve's prototype is older than
		 * const. */
		if (setsid() != -1 && spawn_prepare(spawn) == 0)
			fexecve(spawn->program, (char **)(uintptr_t)spawn->argv,
			    environ);
	}
	log_line(log, LOG_ERR, "cannot start %s (for root as uid %u): %s",
	    spawn->argv[0], spawn->uid, strerror(errno));
	if (pid == -1)
		return -1;
	_exit(spawn_status(errno));
}

int
spawn_wait(pid_t pid, uint64_t deadline_ms)
{
	struct pollfd child = {
	    .fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	siginfo_t end = {.si_pid = 0};
	int status = SIGKILL; /* if it does not end */
	struct log log;

	/* If no descriptor is left, look now and then. */
	while (child.fd == -1 && end.si_pid == 0 &&
	    clock_left_ms(deadline_ms) > 0 &&
	    waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0)
		poll(NULL, 0, end.si_pid == 0 ? SPAWN_LOOK_MS : 0);
	poll(&child, 1, child.fd == -1 ? 0 : clock_left_ms(deadline_ms));
	/* One that was waited for before is no child any more.  A file system
	 * (FUSE) may keep one that is killed from ending. */
	if (waitid(P_PID, (id_t)pid, &end, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    end.si_pid == 0)
		poll(&child, kill(pid, SIGKILL) == 0, SPAWN_LOOK_MS * 100);
	fd_close(child.fd);
	waitpid(pid, &status, WNOHANG);
	log_init(&log, "brokerd", STDERR_FILENO);
	if (WTERMSIG(status) == SIGSYS)
		log_line(&log, LOG_ERR,
		    "process %d: forbidden system call, see audit log", pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

int
spawn_status(int error)
{
	return error == EPERM || error == EACCES ? EX_NOPERM : EX_OSERR;
}
