/* SPDX-License-Identifier: ISC */
/*
 * Who was lent sockets.  Engine, unprivileged.  Nobody tells the engine whether
 * a process still has them, only whether it lives.
 */
#include "engine/pool/borrower.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "engine/pool/pool.h"

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
	fd_close(borrower->pidfd);
	free(borrower);
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

void
borrower_remember(struct borrower_list *list, struct worker *worker)
{
	struct borrower *borrower;

	if (worker->loan.count == 0 || worker->loan.pidfd == -1)
		return;
	if (borrower_list_prune(list) >= BORROWERS_MAX)
		borrower_free(list, TAILQ_FIRST(list));
	borrower = calloc(1, sizeof(*borrower));
	if (borrower == NULL)
		return;
	borrower->pid = worker->loan.pid;
	borrower->uid = worker->mailbox.owner;
	borrower->pidfd = fd_steal(&worker->loan.pidfd);
	borrower->since_ms = worker->loan.since_ms;
	TAILQ_INSERT_TAIL(list, borrower, entry);
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
	fputs(count == 0 ? "no program that lives, since this engine started" :
			   "",
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
