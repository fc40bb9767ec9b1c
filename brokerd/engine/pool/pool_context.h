/* SPDX-License-Identifier: ISC */
#ifndef ENGINE_POOL_POOL_CONTEXT_H
#define ENGINE_POOL_POOL_CONTEXT_H

struct log;
struct mailbox_context;
struct refusals;
struct rendezvous;
struct worker_context;

/* What the files of this room use.  All of it is borrowed. */
struct pool_context {
	struct log *log;
	const struct mailbox_context *mailboxes;
	struct worker_context *workers;
	struct rendezvous *rendezvous;
	struct refusals *refusals;
};

#endif
