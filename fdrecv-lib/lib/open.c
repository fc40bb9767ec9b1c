/* SPDX-License-Identifier: ISC */
/*
 * libfdrecv: opening and closing a mailbox.  Runs in the worker.
 */
#include "lib/handle.h"
#include "lib/mailbox_users.h"
#include "lib/sharers.h"

#include "wire/names.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define OPEN_KNOWN_FLAGS \
	(unsigned int)(FDRECV_NONBLOCK | FDRECV_MANUAL_RECEIPT | FDRECV_COUNTED)

/* Says HELLO to the engines of the run directory.  The one that is named may be
 * that of another mount namespace. */
static void
open_greet(struct fdrecv *mailbox, const char *run_dir)
{
	if (run_dir == NULL)
		run_dir = secure_getenv(FDRECV_WIRE_ENV_RUN_DIR);
	if (run_dir == NULL ||
	    fdrecv_engine_conns_greet(&mailbox->engines, run_dir) == 0)
		fdrecv_engine_conns_greet(&mailbox->engines, NULL);
}

static int
open_start(struct fdrecv *mailbox, const char *path,
    const struct fdrecv_options *options)
{
	uint32_t weight =
	    options->weight == 0 ? FDRECV_WEIGHT : options->weight;
	/* A message tells the number of connections, the ring does not. */
	uint16_t hello_flags = FDRECV_WIRE_LINK |
	    (options->flags & FDRECV_COUNTED ? FDRECV_WIRE_COUNTED :
					       FDRECV_WIRE_OFFER);

	if (options->size < offsetof(struct fdrecv_options, weight) ||
	    (options->flags & ~OPEN_KNOWN_FLAGS) != 0 ||
	    weight > FDRECV_WIRE_WEIGHT_MAX) {
		errno = EINVAL;
		return -1;
	}
	mailbox->flags = options->flags;
	/* The first call allocates memory, which a filter may forbid later. */
	mailbox->forks = fdrecv_sharers_forks();
	mailbox->usage = fdrecv_usage_new();
	if (mailbox->usage == NULL ||
	    fdrecv_engine_conns_init(&mailbox->engines, &mailbox->bound, weight,
		hello_flags) == -1 ||
	    fdrecv_bound_mailbox_open(&mailbox->bound, path) == -1)
		return -1;
	fdrecv_mailbox_users_add(
	    mailbox->bound.fd, (uint16_t)mailbox->engines.instance);
	open_greet(mailbox, options->run_dir);
	return 0;
}

static void
open_free(struct fdrecv *mailbox)
{
	int saved = errno;

	fdrecv_handle_check(mailbox);
	fdrecv_descriptors_close(&mailbox->batch.descriptors);
	fdrecv_fd_close(mailbox->epoll);
	fdrecv_engine_conns_close(&mailbox->engines);
	fdrecv_bound_mailbox_close(&mailbox->bound);
	fdrecv_usage_free(mailbox->usage);
	free(mailbox);
	errno = saved;
}

struct fdrecv *
fdrecv_open(const char *path, const struct fdrecv_options *options)
{
	struct fdrecv_options known = FDRECV_OPTIONS_INIT;
	struct fdrecv *mailbox = calloc(1, sizeof(*mailbox));

	if (mailbox == NULL)
		return NULL;
	mailbox->epoll = mailbox->bound.fd = mailbox->bound.directory = -1;
	for (size_t i = 0; i < ENGINE_CONNS_MAX; i++)
		mailbox->engines.items[i].fd = -1;
	/* The caller's structure may be that of another version. */
	if (options != NULL) {
		known.size = options->size;
		memcpy(&known, options,
		    options->size < sizeof(known) ? options->size :
						    sizeof(known));
	}
	if (open_start(mailbox, path, &known) == 0)
		return mailbox;
	open_free(mailbox);
	return NULL;
}

void
fdrecv_drain(struct fdrecv *mailbox)
{
	if (mailbox != NULL)
		fdrecv_bound_mailbox_shut(&mailbox->bound);
}

void
fdrecv_close(struct fdrecv *mailbox)
{
	if (mailbox == NULL)
		return;
	if (mailbox->usage->is_ours) {
		fdrecv_handle_check(mailbox);
		fdrecv_confirm_due(mailbox);
		fdrecv_bound_mailbox_shut(&mailbox->bound);
	}
	open_free(mailbox);
}

void
fdrecv_after_fork(struct fdrecv *mailbox)
{
	if (mailbox != NULL)
		open_free(mailbox);
}
