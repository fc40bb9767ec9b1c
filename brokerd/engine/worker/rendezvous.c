/* SPDX-License-Identifier: ISC */
/*
 * First contact of workers.  Engine, unprivileged.  Anybody may connect, so
 * links that have not proved whose they are are few, and wait not long.
 */
#include "engine/worker/rendezvous.h"

#include "engine/handoff/bounded_close.h"
#include "engine/worker/unreceipted.h"
#include "engine/worker/worker.h"

#include <sys/socket.h>

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>

#define RENDEZVOUS_LINKS 64    /* that wait, of everybody */
#define RENDEZVOUS_OF_A_USER 8 /* that wait, of one uid */
#define RENDEZVOUS_OF_A_WORKER 4
#define RENDEZVOUS_ROUND 16
#define RENDEZVOUS_REST_US 100000

static int
rendezvous_may_wait(
    const struct rendezvous *rendezvous, const struct receipt_conn *link)
{
	const struct receipt_conn *other;
	size_t count = 0;

	TAILQ_FOREACH (other, &rendezvous->links, entry)
		count += other->uid == link->uid;
	return count <= RENDEZVOUS_OF_A_USER;
}

static void
rendezvous_on_readable(evutil_socket_t listener, short what, void *argument)
{
	static const struct timeval rest = {0, RENDEZVOUS_REST_US};
	struct rendezvous *rendezvous = argument;
	struct receipt_conn *link;
	int fd;

	(void)what;
	for (int i = 0; i < RENDEZVOUS_ROUND; i++) {
		fd =
		    accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd == -1 && errno != EAGAIN && errno != EINTR) {
			event_del(rendezvous->readable);
			event_add(rendezvous->rested, &rest);
		}
		if (fd == -1)
			return;
		link = receipt_conn_new(rendezvous, fd);
		/* After a new engine's first datagrams all workers come at
		 * once: who has said HELLO does not wait any more. */
		if (link != NULL &&
		    (receipt_conn_listen(link) == -1 ||
			(link->worker == NULL &&
			    !rendezvous_may_wait(rendezvous, link))))
			receipt_conn_free(link);
		if (rendezvous->link_count > RENDEZVOUS_LINKS)
			receipt_conn_free(TAILQ_FIRST(&rendezvous->links));
	}
}

void
rendezvous_catch_up(struct rendezvous *rendezvous)
{
	struct receipt_conn *link, *next;

	if (rendezvous == NULL)
		return;
	rendezvous_on_readable(rendezvous->fd, 0, rendezvous);
	for (link = TAILQ_FIRST(&rendezvous->links); link != NULL;
	     link = next) {
		next = TAILQ_NEXT(link, entry);
		if (receipt_conn_listen(link) == -1)
			receipt_conn_free(link);
	}
}

static void
rendezvous_on_rested(evutil_socket_t fd, short what, void *argument)
{
	struct rendezvous *rendezvous = argument;

	(void)fd;
	(void)what;
	event_add(rendezvous->readable, NULL);
}

int
rendezvous_open(struct rendezvous *rendezvous, struct core *core,
    const struct record_rendezvous *record, int fd,
    const struct rendezvous_user *user)
{
	*rendezvous =
	    (struct rendezvous){.core = core, .user = *user, .fd = fd};
	TAILQ_INIT(&rendezvous->links);
	TAILQ_INIT(&rendezvous->boards);
	snprintf(rendezvous->path, sizeof(rendezvous->path), "%s",
	    record_path(&record->socket));
	rendezvous->readable = event_new(core->base, fd, EV_READ | EV_PERSIST,
	    rendezvous_on_readable, rendezvous);
	rendezvous->rested =
	    evtimer_new(core->base, rendezvous_on_rested, rendezvous);
	if (rendezvous->readable == NULL || rendezvous->rested == NULL)
		return -1;
	return event_add(rendezvous->readable, NULL);
}

void
rendezvous_close(struct rendezvous *rendezvous)
{
	struct receipt_conn *link;

	while ((link = TAILQ_FIRST(&rendezvous->links)) != NULL)
		receipt_conn_free(link);
	if (rendezvous->readable != NULL)
		event_free(rendezvous->readable);
	if (rendezvous->rested != NULL)
		event_free(rendezvous->rested);
	rendezvous->fd =
	    bounded_close_fd(&rendezvous->core->bounded, rendezvous->fd);
}

void
rendezvous_offer(struct rendezvous *rendezvous, struct receipt_conn *link)
{
	if (link->board.page != NULL)
		return;
	receipt_ring_offer(&link->board, link->fd);
	if (link->board.page == NULL)
		return;
	receipt_ring_watch(&link->board, rendezvous->watching);
	TAILQ_INSERT_TAIL(&rendezvous->boards, link, offered);
	rendezvous->board_count++;
}

/* A link may be gone when its worker was told of room, and others with it. */
void
rendezvous_look(struct rendezvous *rendezvous)
{
	struct receipt_conn *link;

	for (size_t i = rendezvous->board_count; i > 0; i--) {
		link = TAILQ_FIRST(&rendezvous->boards);
		if (link == NULL)
			return;
		TAILQ_REMOVE(&rendezvous->boards, link, offered);
		TAILQ_INSERT_TAIL(&rendezvous->boards, link, offered);
		receipt_conn_look(link);
	}
}

void
rendezvous_watch(struct rendezvous *rendezvous, int watching)
{
	struct receipt_conn *link;

	if (rendezvous == NULL || rendezvous->watching == watching)
		return;
	rendezvous->watching = watching;
	TAILQ_FOREACH (link, &rendezvous->boards, offered)
		receipt_ring_watch(&link->board, watching);
	rendezvous_look(rendezvous);
}

const char *
rendezvous_path(const struct rendezvous *rendezvous)
{
	return rendezvous == NULL ? "" : rendezvous->path;
}

/* Who shares a mailbox cannot be told apart, so receipts mean nothing. */
static void
rendezvous_share(struct worker *worker)
{
	worker->shared = 1;
	worker->kind = WORKER_PLAIN;
	unreceipted_release(worker);
}

static void
rendezvous_greet(struct worker *worker, struct receipt_conn *link)
{
	const struct hello *hello = &link->hello;
	struct receipt_conn *first = TAILQ_FIRST(&worker->links);
	size_t count = 0;

	receipt_conn_set_worker(link, worker);
	TAILQ_FOREACH (link, &worker->links, entry)
		count++;
	if (count > RENDEZVOUS_OF_A_WORKER)
		receipt_conn_free(
		    first); /* the same processes, again and again */
	if (worker->shared)
		return;
	if (first != NULL && worker->instance != hello->instance) {
		rendezvous_share(worker);
		return;
	}
	/* A mailbox whose process had died has one that speaks for it, of
	 * which no child is known, and which has been lent nothing. */
	if (first == NULL && worker->instance != 0) {
		worker->left = worker->survived = 0;
		worker->lent = 0;
	}
	worker->kind = WORKER_RECEIPTED;
	stats_note_kind(&worker->core->stats, worker->mailbox.device,
	    worker->mailbox.inode, STATS_RECEIPTED);
	worker->instance = hello->instance;
	worker->counted = hello->counted;
	worker->paused = hello->paused;
	worker->connections = hello->connections;
	share_init(&worker->share, hello->weight, worker->share.pass);
	worker_wake(worker);
}

void
rendezvous_on_hello(struct rendezvous *rendezvous, struct receipt_conn *link)
{
	struct worker *worker = rendezvous->user.find(
	    rendezvous->user.argument, &link->hello, link->uid);

	if (worker != NULL)
		rendezvous_greet(worker, link);
}

void
rendezvous_on_worker(struct rendezvous *rendezvous, struct worker *worker)
{
	struct receipt_conn *link, *next;

	if (rendezvous == NULL)
		return;
	for (link = TAILQ_FIRST(&rendezvous->links); link != NULL;
	     link = next) {
		next = TAILQ_NEXT(link, entry);
		if (link->greeted &&
		    rendezvous->user.find(rendezvous->user.argument,
			&link->hello, link->uid) == worker)
			rendezvous_greet(worker, link);
	}
}
