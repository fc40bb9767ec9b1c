/* SPDX-License-Identifier: ISC */
/*
 * Finds a socket of the engine by its inode number: ss(8), lsof(8) and /proc
 * show only this number for a socket that another process has bound, or that
 * has no name.  Engine, unprivileged.
 */
#include "engine/control/report.h"

#include "channel/message.h"
#include "engine/listener/admission.h"
#include "engine/listener/socket_census.h"
#include "engine/worker/receipt_conn.h"

#include <sys/stat.h>

#include <stdarg.h>

struct whois {
	ino_t inode;
	const char *what;     /* NULL: not found */
	const char *listener; /* or NULL */
	char text[1024];
};

static void whois_try(struct whois *whois, int fd, const char *path,
    const char *what, const char *listener, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Fills in the rest of whois if the socket fd, or its file at path (NULL: it
 * has none), has the inode number: these are two numbers, and a user may know
 * either. */
static void
whois_try(struct whois *whois, int fd, const char *path, const char *what,
    const char *listener, const char *format, ...)
{
	struct stat st;
	va_list ap;

	if ((fstat(fd, &st) == -1 || st.st_ino != whois->inode) &&
	    (path == NULL || lstat(path, &st) == -1 ||
		st.st_ino != whois->inode))
		return;
	va_start(ap, format);
	vsnprintf(whois->text, sizeof(whois->text), format, ap);
	va_end(ap);
	whois->what = what;
	whois->listener = listener;
}

static void
whois_listener(struct whois *whois, const struct listener *listener)
{
	const struct listener_endpoint *endpoint;
	const struct record_endpoint *record;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry) {
		record = endpoint->record;
		whois_try(whois, endpoint->fd, record_path(&record->socket),
		    "endpoint", record->listener,
		    "%s, of listener %s: bound and kept by brokerd, which %s",
		    record->socket.name, record->listener,
		    listener_is_lent(listener) ?
			"lends it to workers: they have it too" :
			"hands off connections to it");
	}
}

static void
whois_handoff(
    struct whois *whois, const struct handoff *handoff, const char *where)
{
	whois_try(whois, handoff->fd, NULL, "connection",
	    handoff->endpoint->listener,
	    "a connection to %s, of listener %s: %s",
	    handoff->endpoint->socket.name, handoff->endpoint->listener, where);
}

static void
whois_handoffs(
    struct whois *whois, const struct handoff_list *list, const char *where)
{
	const struct handoff *handoff;

	TAILQ_FOREACH (handoff, list, entry)
		whois_handoff(whois, handoff, where);
}

/* What waits of a source. */
static void
whois_source(void *owner, struct source_entry *source)
{
	const struct handoff *handoff;

	TAILQ_FOREACH (handoff, &source->waiting, entry)
		whois_handoff(owner, handoff, "it waits for its turn");
}

static void
whois_workers(struct whois *whois, const struct worker_list *list)
{
	const struct receipt_conn *conn;
	const struct worker *worker;

	TAILQ_FOREACH (worker, list, entry) {
		whois_try(whois, worker->mailbox.node, NULL, "mailbox", NULL,
		    "the file of the mailbox of worker %s", worker->name);
		whois_try(whois, worker->mailbox.fd, NULL, "mailbox", NULL,
		    "the engine's end of a connection to the mailbox of worker "
		    "%s, without a name of its own",
		    worker->name);
		TAILQ_FOREACH (conn, &worker->conns.head, entry)
			whois_try(whois, conn->fd, NULL, "receipts", NULL,
			    "the engine's end of the connection on which "
			    "worker %s sends receipts",
			    worker->name);
		whois_handoffs(whois, &worker->unreceipted.list,
		    "a worker has it too, and has not confirmed it");
	}
}

static void
whois_returns(struct whois *whois, const struct returns *returns)
{
	const struct sent_connection *connection;
	const struct returns_reader *reader;
	const struct sent_peer *peer;

	whois_try(whois, CHANNEL_RETURNS, NULL, "returns", NULL,
	    "where the keeper puts what this engine has if it is killed, for "
	    "the next one");
	TAILQ_FOREACH (reader, &returns->readers, entry)
		whois_try(whois, reader->fd, NULL, "returns", NULL,
		    "the engine's end of a connection on which it gets what an "
		    "engine had that was killed");
	TAILQ_FOREACH (peer, &returns->sent.peers, entry)
		whois_try(whois, peer->fd, NULL, "receipts", NULL,
		    "an end of the connection on which a worker sent receipts "
		    "to an engine that was killed");
	TAILQ_FOREACH (connection, &returns->sent.connections, entry)
		whois_handoff(whois, connection->handoff,
		    "an engine that was killed gave it to a worker too, which "
		    "has not confirmed it");
}

static void
whois_builtin(struct whois *whois, const struct control_context *context)
{
	const struct rendezvous *rendezvous = context->rendezvous;
	const struct listener *listener = TAILQ_FIRST(context->listeners);

	if (listener != NULL && listener->context->diag != NULL)
		whois_try(whois, listener->context->diag->fd, NULL, "netlink",
		    NULL,
		    "the socket by which the engine asks the kernel how long "
		    "queues are");
	if (listener != NULL && listener->context->census != NULL)
		whois_try(whois, listener->context->census->fd, NULL, "netlink",
		    NULL,
		    "the socket by which the engine asks the kernel which "
		    "connections are open");
	whois_try(whois, context->fd, context->path, "control", NULL,
	    "the control socket, %s", context->path);
	whois_try(whois, rendezvous->fd, rendezvous->path, "rendezvous", NULL,
	    "the rendezvous socket, %s, where workers say HELLO",
	    rendezvous->path);
	for (int i = 0; i < 2; i++)
		whois_try(whois, context->quotas->in_flight.ends[i], NULL,
		    "in-flight", NULL,
		    "an end of the connection to itself by which the engine "
		    "measures how many descriptors may be sent");
	whois_try(whois, context->requests->channel, NULL, "channel", NULL,
	    "the engine's end of the channel to the monitor");
}

json_t *
report_whois(const struct control_context *context, uint64_t inode)
{
	struct whois whois = {.inode = (ino_t)inode};
	const struct listener *listener;
	const struct pool *pool;

	TAILQ_FOREACH (listener, context->listeners, entry) {
		whois_listener(&whois, listener);
		if (listener->admission != NULL)
			source_table_each(&listener->admission->sources,
			    whois_source, &whois);
	}
	TAILQ_FOREACH (pool, context->pools, entry) {
		whois_workers(&whois, &pool->workers);
		whois_handoffs(&whois, &pool->held, "it waits for a worker");
	}
	whois_returns(&whois, context->returns);
	whois_builtin(&whois, context);
	if (whois.what == NULL)
		return NULL;
	return json_pack("{s:I, s:s, s:s?, s:o}", "inode", (json_int_t)inode,
	    "what", whois.what, "listener", whois.listener, "text",
	    report_text(whois.text));
}
