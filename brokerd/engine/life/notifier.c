/* SPDX-License-Identifier: ISC */
/*
 * What the engine tells the service manager.  Engine, unprivileged.  The
 * manager has room for a few hundred sockets at a time, so the rest is tried
 * again by a timer: it is not known which of the limits was met, and no event
 * tells when it is met no more.
 */
#include "engine/life/notifier.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTIFIER_LATER_US 10000

void
notifier_connect(struct notifier *notifier, struct log *log)
{
	const char *address = getenv("NOTIFY_SOCKET");

	if (notify_open(&notifier->notify, address) == -1)
		log_line(log, LOG_WARNING,
		    "service manager at %s: cannot be told anything: %s",
		    address, strerror(errno));
}

static void
notifier_wait(void *argument)
{
	static const struct timeval later = {0, NOTIFIER_LATER_US};
	struct notifier *notifier = argument;

	if (!evtimer_pending(notifier->later, NULL))
		evtimer_add(notifier->later, &later);
}

static void
notifier_on_later(evutil_socket_t fd, short what, void *argument)
{
	struct notifier *notifier = argument;

	(void)fd;
	(void)what;
	if (notify_flush(&notifier->notify))
		notifier_wait(notifier);
}

int
notifier_open(struct notifier *notifier, struct event_base *base)
{
	notifier->later = evtimer_new(base, notifier_on_later, notifier);
	if (notifier->later == NULL)
		return -1;
	notifier->notify.on_wait = notifier_wait;
	notifier->notify.argument = notifier;
	return 0;
}

void
notifier_close(struct notifier *notifier)
{
	notify_close(&notifier->notify);
	if (notifier->later != NULL)
		event_free(notifier->later);
	notifier->later = NULL;
}

/* A manager that is starting the service takes the begin of a reload before
 * its end for nothing, and one that is reloading needs it. */
void
notifier_serving(
    struct notifier *notifier, const struct listener_list *listeners)
{
	const struct listener_endpoint *endpoint;
	const struct listener *listener;
	unsigned int count = 0;
	char status[64];

	TAILQ_FOREACH (listener, listeners, entry)
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
			count++;
	snprintf(status, sizeof(status), "serving, endpoints: %u", count);
	notify_reloaded(&notifier->notify, status);
	TAILQ_FOREACH (listener, listeners, entry)
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
			notify_store(&notifier->notify, endpoint->fd,
			    endpoint->record.name);
}

void
notifier_leaving(struct notifier *notifier,
    const struct listener_list *listeners, const struct channel_drain *drain)
{
	const struct listener_endpoint *endpoint;
	const struct listener *listener;

	notify_forget(&notifier->notify);
	if (drain->stop)
		notify_stopping(&notifier->notify);
	TAILQ_FOREACH (listener, listeners, entry)
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
			if (channel_is_removed(drain, endpoint->number))
				notify_remove(
				    &notifier->notify, endpoint->record.name);
}
