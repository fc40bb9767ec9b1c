/* SPDX-License-Identifier: ISC */
/*
 * libfdrecv: whose the descriptors of a mailbox are.  Runs in the worker.  A
 * child of fork(2) has those of its parent, and a program that calls
 * closefrom(3) has none any more, or other files under their numbers.
 */
#include "lib/handle.h"
#include "lib/succession.h"

#include <errno.h>

int
fdrecv_handle_check(struct fdrecv *mailbox)
{
	struct descriptors *came = &mailbox->batch.descriptors;

	if (fdrecv_bound_mailbox_is_open(&mailbox->bound))
		return 1;
	mailbox->bound.fd = mailbox->bound.directory = mailbox->epoll = -1;
	mailbox->due_epoch = 0;
	came->next = came->count;
	fdrecv_engine_conns_close(&mailbox->engines);
	return 0;
}

/* The hand-offs that had arrived are the parent's.  If the parent has ended,
 * the mailbox is this process's own from now on. */
static void
handle_begin_child(struct fdrecv *mailbox)
{
	mailbox->due_epoch = 0;
	/* It is shared with the parent. */
	mailbox->epoll = fdrecv_fd_close(mailbox->epoll);
	mailbox->polls_readable = 0;
	fdrecv_descriptors_close(&mailbox->batch.descriptors);
	fdrecv_succession_begin(&mailbox->engines);
}

void
fdrecv_handle_prepare(struct fdrecv *mailbox)
{
	int is_child = !mailbox->usage->is_ours;

	if (!is_child && mailbox->is_checked)
		return;
	fdrecv_handle_check(mailbox);
	mailbox->usage->is_ours = mailbox->is_checked = 1;
	if (is_child && mailbox->bound.fd != -1)
		handle_begin_child(mailbox);
}

int
fdrecv_handle_lock(struct fdrecv *mailbox)
{
	int saved = errno, locked;

	locked = fdrecv_usage_enter(mailbox->usage, 0) == 0;
	errno = saved;
	return locked;
}
