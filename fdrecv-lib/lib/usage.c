/* SPDX-License-Identifier: ISC */
/*
 * Keeps threads apart.  Runs in the worker.  Without contention it costs an
 * atomic instruction, and never a system call.  It is not a mutex of
 * pthreads(7), since a second fdrecv_next() has to be refused, and since a
 * signal handler that calls a function it should not must not wait for ever.
 */
#include "lib/usage.h"

#include <sys/mman.h>

#include <errno.h>
#include <stddef.h>
#include <time.h>

#define USAGE_RETRY_NS 50000
#define USAGE_RETRIES 20000 /* for at least a second */

/* getpid(2) would cost a system call for each hand-off; the kernel empties this
 * memory in a child, see madvise(2). */
struct usage *
fdrecv_usage_new(void)
{
	struct usage *usage = mmap(NULL, sizeof(*usage), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (usage == MAP_FAILED)
		return NULL;
	if (madvise(usage, sizeof(*usage), MADV_WIPEONFORK) == -1) {
		fdrecv_usage_free(usage);
		return NULL;
	}
	usage->is_ours = 1;
	return usage;
}

void
fdrecv_usage_free(struct usage *usage)
{
	int saved = errno;

	if (usage != NULL)
		munmap(usage, sizeof(*usage));
	errno = saved;
}

/* 0, or -1 with the state that was seen. */
static int
usage_lock(struct usage *usage, int mode, int *out_seen)
{
	int seen = __atomic_load_n(&usage->state, __ATOMIC_RELAXED);

	if ((seen & (USAGE_LOCKED | mode)) == 0 &&
	    __atomic_compare_exchange_n(&usage->state, &seen,
		seen | USAGE_LOCKED | mode, 0, __ATOMIC_ACQUIRE,
		__ATOMIC_RELAXED))
		return 0;
	*out_seen = seen;
	return -1;
}

int
fdrecv_usage_try(struct usage *usage)
{
	int seen;

	return usage_lock(usage, 0, &seen);
}

int
fdrecv_usage_enter(struct usage *usage, int mode)
{
	static const struct timespec retry = {.tv_nsec = USAGE_RETRY_NS};
	int seen;

	for (int try = 0; try < USAGE_RETRIES; try++) {
		if (usage_lock(usage, mode, &seen) == 0)
			return 0;
		if ((seen & mode) != 0)
			break;
		if ((seen & USAGE_LOCKED) != 0)
			nanosleep(&retry, NULL);
	}
	errno = EBUSY;
	return -1;
}

/* Nobody else changes the state while it is locked. */
void
fdrecv_usage_leave(struct usage *usage, int mode)
{
	int seen = __atomic_load_n(&usage->state, __ATOMIC_RELAXED);

	__atomic_store_n(
	    &usage->state, seen & ~(USAGE_LOCKED | mode), __ATOMIC_RELEASE);
}

void
fdrecv_usage_end_wait(struct usage *usage)
{
	int saved = errno;

	/* A thread that was cancelled does not give it back. */
	if (fdrecv_usage_enter(usage, 0) == -1)
		__atomic_store_n(&usage->state, USAGE_LOCKED | USAGE_RECEIVING,
		    __ATOMIC_RELAXED);
	errno = saved;
}
