/* SPDX-License-Identifier: ISC */
/*
 * Who was lent sockets.  Engine, unprivileged.  Nobody tells the engine whether
 * a process still has them, only whether it lives.
 */
#include "engine/pool/borrower.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "engine/handoff/persistent.h"
#include "engine/pool/pool.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
borrower_free(struct borrower_list *list, struct borrower *borrower)
{
	TAILQ_REMOVE(list, borrower, entry);
	timer_free_event(&borrower->ended);
	fd_close(borrower->pidfd);
	free(borrower);
}

/* The sockets are put right, so that clients can wait for the next program. */
static void
borrower_on_end(evutil_socket_t fd, short what, void *argument)
{
	struct borrower *borrower = argument;
	struct pool *pool = borrower->pool;
	const struct pool_user *user;

	(void)fd;
	(void)what;
	borrower_free(&pool->borrowers, borrower);
	TAILQ_FOREACH (user, &pool->users, entry)
		if (user->may_lend != NULL)
			user->may_lend(user->owner, 0);
}

/* A pidfd is readable when its process has ended. */
static int
borrower_lives(const struct borrower *borrower)
{
	struct pollfd end = {.fd = borrower->pidfd, .events = POLLIN};

	return poll(&end, 1, 0) == 0;
}

/* Forgets those that have ended.  Returns how many are left. */
static size_t
borrower_list_prune(struct borrower_list *list)
{
	struct borrower *borrower, *next;
	size_t count = 0;

	for (borrower = TAILQ_FIRST(list); borrower != NULL; borrower = next) {
		next = TAILQ_NEXT(borrower, entry);
		if (borrower_lives(borrower))
			count++;
		else
			borrower_free(list, borrower);
	}
	return count;
}

/* Takes pidfd.  NULL if there is no memory. */
static struct borrower *
borrower_add(
    struct pool *pool, pid_t pid, uid_t uid, int pidfd, uint64_t since_ms)
{
	struct borrower_list *list = &pool->borrowers;
	struct borrower *borrower = calloc(1, sizeof(*borrower));

	if (borrower == NULL) {
		fd_close(pidfd);
		return NULL;
	}
	if (borrower_list_prune(list) >= BORROWERS_MAX)
		borrower_free(list, TAILQ_FIRST(list));
	borrower->pid = pid;
	borrower->uid = uid;
	borrower->pidfd = pidfd;
	borrower->since_ms = since_ms;
	borrower->pool = pool;
	borrower->ended = event_new(pool->context->workers->base, pidfd,
	    EV_READ, borrower_on_end, borrower);
	if (borrower->ended != NULL)
		timer_add_event(borrower->ended, NULL);
	TAILQ_INSERT_TAIL(list, borrower, entry);
	return borrower;
}

void
borrower_remember(struct pool *pool, struct worker *worker)
{
	struct persistent *persistent = pool->context->workers->persistent;
	const struct borrower *borrower;
	struct persistent_borrower entry = {.pid = 0};
	unsigned int slot = (unsigned int)worker->loan.pid;
	struct stat st;

	if (worker->loan.count == 0 || worker->loan.pidfd == -1)
		return;
	borrower = borrower_add(pool, worker->loan.pid, worker->mailbox.owner,
	    fd_steal(&worker->loan.pidfd), worker->loan.since_ms);
	if (borrower == NULL || borrower->pid <= 0 ||
	    fstat(borrower->pidfd, &st) == -1 ||
	    text_copy(entry.path, sizeof(entry.path), pool->finder.path) == -1)
		return;
	entry.pid = (uint32_t)borrower->pid;
	entry.uid = borrower->uid;
	entry.pidfs_inode = st.st_ino;
	entry.since_ms = borrower->since_ms;
	for (const char *at = entry.path; *at != '\0'; at++)
		slot += (unsigned char)*at;
	persistent->borrowers[slot % PERSISTENT_BORROWERS] = entry;
}

/* Another process may have the pid by now, and a hostile engine may have
 * written anything. */
void
borrower_recall(struct pool *pool)
{
	struct persistent *persistent = pool->context->workers->persistent;
	struct persistent_borrower entry;
	struct stat st;
	int pidfd;

	for (size_t i = 0; i < PERSISTENT_BORROWERS; i++) {
		entry = persistent->borrowers[i];
		if (entry.pid == 0 || entry.pid > INT32_MAX ||
		    entry.since_ms > clock_ms() ||
		    strncmp(
			entry.path, pool->finder.path, sizeof(entry.path)) != 0)
			continue;
		pidfd = (int)syscall(SYS_pidfd_open, entry.pid, 0);
		if (pidfd == -1)
			continue;
		if (fstat(pidfd, &st) == 0 && st.st_ino == entry.pidfs_inode)
			borrower_add(pool, (pid_t)entry.pid, entry.uid, pidfd,
			    entry.since_ms);
		else
			fd_close(pidfd);
	}
}

int
borrower_list_any(struct pool *pool)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker->loan.count > 0)
			return 1;
	return borrower_list_prune(&pool->borrowers) > 0;
}

/* Its name may be anything. */
static void
borrower_view_program(struct borrower_view *view)
{
	char path[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)view->pid);
	fd = view->pid > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	if (fd != -1)
		n = read(fd, view->program, sizeof(view->program) - 1);
	fd_close(fd);
	view->program[n < 1 ? 0 : n - 1] = '\0'; /* without the newline */
	text_make_printable(view->program);
}

size_t
borrower_list_living(
    struct pool *pool, struct borrower_view out_views[BORROWERS_MAX])
{
	const struct borrower *borrower;
	const struct worker *worker;
	size_t count = 0;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		if (worker->loan.count > 0 && count < BORROWERS_MAX)
			out_views[count++] =
			    (struct borrower_view){.pid = worker->loan.pid,
				.uid = worker->mailbox.owner,
				.since_ms = worker->loan.since_ms,
				.mailbox = worker->name};
	borrower_list_prune(&pool->borrowers);
	TAILQ_FOREACH (borrower, &pool->borrowers, entry)
		if (count < BORROWERS_MAX)
			out_views[count++] =
			    (struct borrower_view){.pid = borrower->pid,
				.uid = borrower->uid,
				.since_ms = borrower->since_ms};
	for (size_t i = 0; i < count; i++)
		borrower_view_program(&out_views[i]);
	return count;
}

static void
borrower_view_print(FILE *file, const struct borrower_view *view)
{
	if (view->pid > 0)
		fprintf(file, "pid %d", (int)view->pid);
	else
		fprintf(file, "a process of uid %u that is not known",
		    (unsigned int)view->uid);
	if (view->program[0] != '\0')
		fprintf(file, " (%s)", view->program);
	else if (view->pid <= 0 && view->mailbox != NULL)
		fprintf(file, " (mailbox %s)", view->mailbox);
	fprintf(file, " %llu s ago",
	    (unsigned long long)(clock_ms() - view->since_ms) / 1000);
}

void
borrower_list_text(struct pool *pool, char *text, size_t size)
{
	struct borrower_view views[BORROWERS_MAX];
	size_t count = borrower_list_living(pool, views);
	FILE *file = fmemopen(text, size, "w");

	text[0] = '\0';
	if (file == NULL)
		return;
	fputs("lent to ", file);
	for (size_t i = 0; i < count; i++) {
		fputs(i == 0 ? "" : ", ", file);
		borrower_view_print(file, &views[i]);
	}
	fputs(count > 0 ? "" :
			  "no program that lives, unless one has left a child "
			  "that has them",
	    file);
	fclose(file);
	text[size - 1] = '\0';
}

void
borrower_list_free(struct borrower_list *list)
{
	while (!TAILQ_EMPTY(list))
		borrower_free(list, TAILQ_FIRST(list));
}
