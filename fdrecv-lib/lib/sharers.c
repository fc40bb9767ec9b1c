/* SPDX-License-Identifier: ISC */
/*
 * Which other processes may have a connection.  Runs in the worker.  The kernel
 * does not tell how many descriptors refer to a socket, so this counts calls of
 * fork(2), since a child may have ended and left the socket to its own
 * children.  vfork(2), clone(2) and posix_spawn(3) call no handler, so this
 * also asks whether there are children now.
 */
#include "lib/sharers.h"

#include <sys/wait.h>

#include <errno.h>
#include <pthread.h>
#include <stddef.h>

static struct {
	pthread_once_t once;
	unsigned int forks;
	int is_counting;
} sharers = {.once = PTHREAD_ONCE_INIT};

static void
sharers_before_fork(void)
{
	__atomic_fetch_add(&sharers.forks, 1, __ATOMIC_RELAXED);
}

static void
sharers_start_counting(void)
{
	sharers.is_counting =
	    pthread_atfork(sharers_before_fork, NULL, NULL) == 0;
}

unsigned int
fdrecv_sharers_forks(void)
{
	pthread_once(&sharers.once, sharers_start_counting);
	if (!sharers.is_counting)
		sharers_before_fork(); /* each call may follow one */
	return __atomic_load_n(&sharers.forks, __ATOMIC_RELAXED);
}

int
fdrecv_sharers_may_be_children(void)
{
	siginfo_t info;

	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) !=
	    -1 ||
	    errno != ECHILD;
}
