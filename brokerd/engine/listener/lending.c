/* SPDX-License-Identifier: ISC */
/*
 * What a listener does about the sockets that it lends, and the programs that
 * have them.  Engine, unprivileged.
 */
#include "engine/listener/lending.h"

#include "base/clock.h"
#include "channel/channel.h"

#define LENDING_BORROWERS_SIZE 512

void
lending_on_untaken(void *owner)
{
	const struct listener_endpoint *endpoint = owner;
	const struct listener *listener = endpoint->owner;
	const struct untaken *untaken = &endpoint->untaken;
	unsigned long long waited_s = (clock_ms() - untaken->since_ms) / 1000;
	char text[LENDING_BORROWERS_SIZE];

	if (!untaken->is_told) {
		log_line(listener->context->log, LOG_NOTICE,
		    "listener %s: a program takes clients at %s again, "
		    "after %llu s",
		    endpoint->record->listener, endpoint->record->socket.name,
		    waited_s);
		return;
	}
	borrower_list_text(listener->pool, text, sizeof(text));
	log_line(listener->context->log, LOG_WARNING,
	    "listener %s: clients have waited at %s for %llu s, and no "
	    "program takes them: %s: they wait on until one accepts from this "
	    "address, see \"brokerctl explain %s\"",
	    endpoint->record->listener, endpoint->record->socket.name, waited_s,
	    text, endpoint->record->listener);
}

/* Programs that have its sockets may depend on the flags and options that they
 * have set.  So may children that go on when the process that was lent the
 * sockets has ended, as after daemon(3). */
int
lending_may_lend(void *owner, int lends)
{
	struct listener *listener = owner;
	const struct repair_models *models = listener->context->models;
	int all = lends && !borrower_list_any(listener->pool), may = 1;
	struct listener_endpoint *endpoint;

	TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
		if (endpoint->record->handoff == RECORD_LISTENER)
			may &=
			    upkeep_look(&endpoint->upkeep, all ? models : NULL);
	return may;
}

/* The text for a socket of that record. */
static const char *
lending_end(const struct listener_endpoint *endpoint)
{
	const struct record_socket *sock = &endpoint->record->socket;

	if (endpoint->upkeep.is_dead)
		return "it is bound anew, and a program that has the old "
		       "socket must be started again";
	if ((sock->flags & RECORD_KEEP) != 0)
		return "a program that has it goes on with it, and the address "
		       "is free when it has ended (on-removal = keep)";
	if (record_has_connections(sock))
		return "it is shut down (on-removal = shutdown), and a program "
		       "that goes on accepting gets nothing but errors: end it";
	return "a datagram socket cannot be shut down, and stays with its "
	       "program until that has ended";
}

void
lending_tell_removed(
    struct listener *listener, const struct listener_endpoint *endpoint)
{
	char text[LENDING_BORROWERS_SIZE];

	borrower_list_text(listener->pool, text, sizeof(text));
	log_line(listener->context->log, LOG_NOTICE,
	    "listener %s: %s is removed, %s: %s", endpoint->record->listener,
	    endpoint->record->socket.name, text, lending_end(endpoint));
}
