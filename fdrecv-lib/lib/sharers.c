/* SPDX-License-Identifier: ISC */
/*
 * Who else may have a connection.  Runs in the worker.  The kernel does not
 * tell how many descriptors a socket has, so this notices how processes come to
 * have them: by fork(2), after which the child's children have them as well;
 * and by vfork(2), clone(2) and posix_spawn(3), which call no handler.
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
