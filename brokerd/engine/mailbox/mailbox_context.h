/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_MAILBOX_MAILBOX_CONTEXT_H
#define ENGINE_MAILBOX_MAILBOX_CONTEXT_H

struct event_base;
struct log;
struct watch;

/* What the files of this room use.  All of it is borrowed. */
struct mailbox_context {
	struct event_base *base;
	struct log *log;
	struct watch *watch;
};

#endif
