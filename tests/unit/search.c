/* SPDX-License-Identifier: ISC */
/*
 * A finder in a loop of its own, for its tests.  Events of inotify(7) are
 * there as soon as the call that causes them returns, so "nothing happened"
 * is known without waiting for it.
 */
#include "search.h"

#include "net.h"
#include "unit.h"

#include <event2/event.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SEARCH_LATE_S 3 /* Check gives a test four */

static int
search_slot(const struct search *search, const char *name)
{
	for (int i = 0; i < SEARCH_NAMES; i++)
		if (strcmp(search->names[i], name) == 0)
			return i;
	return -1;
}

static int
search_knows(void *argument, const char *name, const struct mailbox *mailbox)
{
	struct search *search = argument;
	const struct mailbox *known = search_find(search, name);

	search->looks++;
	ck_assert_int_eq(mailbox->fd, -1);
	ck_assert_int_ne(mailbox->node, -1);
	return known != NULL && known->inode == mailbox->inode &&
	    known->device == mailbox->device;
}

static void
search_forget(struct search *search, int slot)
{
	mailbox_close(&search->known[slot]);
	search->names[slot][0] = '\0';
}

static void
search_on_found(void *argument, const char *name, struct mailbox *mailbox)
{
	struct search *search = argument;
	int slot = search_slot(search, name);

	if (slot != -1)
		search_forget(search, slot);
	slot = search_slot(search, "");
	ck_assert_int_ne(slot, -1);
	snprintf(search->names[slot], sizeof(search->names[0]), "%s", name);
	search->known[slot] = *mailbox;
	search->found++;
}

static void
search_on_gone(void *argument, const char *name)
{
	struct search *search = argument;
	int slot = search_slot(search, name);

	if (slot != -1)
		search_forget(search, slot);
	search->gone++;
}

static void
search_on_change(void *argument, int id, int gone, const char *name)
{
	struct search *search = argument;

	if (id == search->finder.watch_id)
		finder_on_change(&search->finder, gone, name);
}

static void
search_on_late(evutil_socket_t fd, short what, void *argument)
{
	(void)fd;
	(void)what;
	(void)argument;
	ck_abort_msg("what was awaited did not happen");
}

void
search_init(struct search *search, const char *path, uint32_t owner)
{
	struct finder_user user = {.knows = search_knows,
	    .on_found = search_on_found,
	    .on_gone = search_on_gone,
	    .argument = search};
	struct timeval limit = {SEARCH_LATE_S, 0};

	*search = (struct search){.watch.fd = -1};
	for (int i = 0; i < SEARCH_NAMES; i++)
		search->known[i] = (struct mailbox){.node = -1, .fd = -1};
	unsetenv("JOURNAL_STREAM");
	ck_assert_int_eq(pipe2(search->log, O_CLOEXEC | O_NONBLOCK), 0);
	log_init(&search->core.log, "engine", search->log[1]);
	search->core.base = event_base_new();
	ck_assert_ptr_nonnull(search->core.base);
	search->late = evtimer_new(search->core.base, search_on_late, NULL);
	ck_assert_int_eq(event_add(search->late, &limit), 0);
	ck_assert_int_eq(watch_open(&search->watch, search->core.base,
			     search_on_change, search),
	    0);
	ck_assert_int_eq(finder_init(&search->finder, &search->core,
			     &search->watch, path, owner, &user),
	    0);
}

void
search_done(struct search *search)
{
	finder_done(&search->finder);
	watch_close(&search->watch);
	event_free(search->late);
	event_base_free(search->core.base);
	for (int i = 0; i < SEARCH_NAMES; i++)
		mailbox_close(&search->known[i]);
	close(search->log[0]);
	close(search->log[1]);
}

void
search_await(
    struct search *search, const unsigned int *counter, unsigned int count)
{
	while (*counter < count)
		ck_assert_int_eq(
		    event_base_loop(search->core.base, EVLOOP_ONCE), 0);
	ck_assert_uint_eq(*counter, count);
}

void
search_await_rest(struct search *search)
{
	while (search_is_pending(search))
		ck_assert_int_eq(
		    event_base_loop(search->core.base, EVLOOP_ONCE), 0);
}

void
search_settle(struct search *search)
{
	do
		ck_assert_int_eq(
		    event_base_loop(search->core.base, EVLOOP_NONBLOCK), 0);
	while (net_polls(search->watch.fd, POLLIN));
}

int
search_is_pending(const struct search *search)
{
	return timer_is_set(&search->finder.retry);
}

const struct mailbox *
search_find(const struct search *search, const char *name)
{
	int slot = search_slot(search, name);

	return slot == -1 ? NULL : &search->known[slot];
}

void
search_reaches(const struct search *search, const char *name, int worker)
{
	const struct mailbox *mailbox = search_find(search, name);
	int fd;

	ck_assert_ptr_nonnull(mailbox);
	ck_assert_int_eq(net_send(mailbox->fd, "a", 1, &search->log[0], 1), 1);
	fd = net_take(worker);
	ck_assert_int_ne(fd, -1);
	ck_assert(net_is_same(fd, search->log[0]));
	close(fd);
}

const char *
search_log(struct search *search)
{
	static char text[8192];
	ssize_t n = read(search->log[0], text, sizeof(text) - 1);

	text[n == -1 ? 0 : n] = '\0';
	return text;
}
