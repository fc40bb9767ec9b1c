/* SPDX-License-Identifier: ISC */
/*
 * Which of the broker's sockets has an inode's number: ss(8), lsof(8) and
 * /proc show numbers where a socket was bound by another process or not at
 * all.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "channel/channel.h"
#include "engine/worker/receipt_conn.h"
#include "engine/worker/rendezvous.h"

#include <sys/stat.h>
#include <sys/un.h>

#include <stdarg.h>
#include <stdio.h>

struct whois {
	ino_t inode;
	char text[1024]; /* "": nothing so far */
	const char *what;
	const char *listener; /* or NULL */
};

static void whois_found(struct whois *whois, const char *what,
    const char *listener, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void
whois_found(struct whois *whois, const char *what, const char *listener,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(whois->text, sizeof(whois->text), format, ap);
	va_end(ap);
	whois->what = what;
	whois->listener = listener;
}

/* The number of a socket is not that of its file, and either may be asked
 * for. */
static int
whois_is(const struct whois *whois, int fd, const char *path)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && st.st_ino == whois->inode)
		return 1;
	return path != NULL && lstat(path, &st) == 0 &&
	    st.st_ino == whois->inode;
}

static void
whois_listener(struct whois *whois, const struct listener *listener)
{
	const struct listener_endpoint *endpoint;
	const struct record_endpoint *record;
	const struct sockaddr_un *un;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		record = &endpoint->record;
		un = (const void *)&record->address;
		if (!whois_is(whois, endpoint->fd,
			record_is_path(record) ? un->sun_path : NULL))
			continue;
		whois_found(whois, "endpoint", record->listener,
		    "%s, of listener %s: bound and kept by brokerd, which %s",
		    record->name, record->listener,
		    listener_is_lent(listener) ?
			"lends it to workers: they have it too" :
			"hands off what connects to it");
	}
}

static void
whois_handoffs(
    struct whois *whois, const struct handoff_list *list, const char *where)
{
	const struct handoff *handoff;

	TAILQ_FOREACH (handoff, list, entry)
		if (whois_is(whois, handoff->fd, NULL))
			whois_found(whois, "connection",
			    handoff->endpoint->listener,
			    "a connection to %s, of listener %s: %s",
			    handoff->endpoint->name,
			    handoff->endpoint->listener, where);
}

static void
whois_worker(struct whois *whois, const struct worker *worker)
{
	const struct receipt_conn *link;

	if (worker->mailbox.inode == whois->inode)
		whois_found(whois, "mailbox", NULL,
		    "the file of the mailbox of worker %s", worker->name);
	if (whois_is(whois, worker->mailbox.fd, NULL))
		whois_found(whois, "mailbox", NULL,
		    "the engine's end towards the mailbox of worker %s, which "
		    "has no name of its own",
		    worker->name);
	TAILQ_FOREACH (link, &worker->links, entry)
		if (whois_is(whois, link->fd, NULL))
			whois_found(whois, "receipts", NULL,
			    "the engine's end of the connection on which "
			    "worker %s sends receipts",
			    worker->name);
	whois_handoffs(whois, &worker->unreceipted,
	    "a worker has it too, and has not confirmed it");
}

static void
whois_pool(struct whois *whois, const struct pool *pool)
{
	const struct worker *worker;

	TAILQ_FOREACH (worker, &pool->workers, entry)
		whois_worker(whois, worker);
	TAILQ_FOREACH (worker, &pool->leaving, entry)
		whois_worker(whois, worker);
	whois_handoffs(whois, &pool->held, "it waits for a worker");
}

static void
whois_own(struct whois *whois, const struct control *control)
{
	const struct rendezvous *rendezvous = control->core->rendezvous;

	if (whois_is(whois, control->fd, control->path))
		whois_found(whois, "control", NULL, "the control socket, %s",
		    control->path);
	if (rendezvous != NULL &&
	    whois_is(whois, rendezvous->fd, rendezvous->path))
		whois_found(whois, "rendezvous", NULL,
		    "the rendezvous socket, %s, where workers say HELLO",
		    rendezvous->path);
	if (whois_is(whois, CHANNEL_FD, NULL))
		whois_found(whois, "channel", NULL,
		    "the engine's end of the channel to the monitor");
}

json_t *
control_whois(const struct control *control, uint64_t inode)
{
	struct whois whois = {.inode = (ino_t)inode};
	const struct listener *listener;
	const struct pool *pool;

	TAILQ_FOREACH (listener, control->listeners, entry)
		whois_listener(&whois, listener);
	TAILQ_FOREACH (pool, control->pools, entry)
		whois_pool(&whois, pool);
	whois_own(&whois, control);
	if (whois.what == NULL)
		return NULL;
	return json_pack("{s:I, s:s, s:o, s:o}", "inode", (json_int_t)inode,
	    "what", whois.what, "listener",
	    whois.listener == NULL ? json_null() : json_string(whois.listener),
	    "text", control_text(whois.text));
}
