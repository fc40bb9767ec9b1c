/* SPDX-License-Identifier: ISC */
#pragma once

struct event_base;
struct log;
struct watch;

/* What the files of this room use.  All of it is borrowed. */
struct mailbox_context {
	struct event_base *base;
	struct log *log;
	struct watch *watch;
};
