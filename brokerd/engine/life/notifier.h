/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_LIFE_NOTIFIER_H
#define ENGINE_LIFE_NOTIFIER_H

#include "engine/life/notify.h"
#include "engine/listener/listener.h"

/* What the service manager is told, and when: what has to wait is said as
 * soon as there is room. */
struct notifier {
	struct notify notify;
	struct event *later;
};

/* Connects to the manager, if the environment names one.  Cannot fail: if it
 * is not reached, log gets a line and nothing is ever said. */
void notifier_connect(struct notifier *notifier, struct log *log);

/* Says what waits from the loop of base.  0, or -1 with errno. */
int notifier_open(struct notifier *notifier, struct event_base *base);

void notifier_close(struct notifier *notifier);

/* This engine serves now; the manager is to keep the sockets of listeners.
 * Borrows them until notify_forget(). */
void notifier_serving(
    struct notifier *notifier, const struct listener_list *listeners);

/* Nor does it any more, or another engine does: the manager keeps only what
 * somebody takes over. */
void notifier_leaving(struct notifier *notifier,
    const struct listener_list *listeners, const struct channel_drain *drain);

#endif
