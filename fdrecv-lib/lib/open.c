/* SPDX-License-Identifier: ISC */
/*
 * libfdrecv: the begin and the end of a mailbox.  Runs in the worker.
 */
#include "lib/handle.h"

#include "wire/names.h"

#include <sys/mman.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FDRECV_FLAGS \
	(unsigned int)(FDRECV_NONBLOCK | FDRECV_MANUAL_RECEIPT | FDRECV_COUNTED)

/* Memory that reads 1 here and 0 in every child of fork(2), see madvise(2):
 * asking for the process would cost a system call each time. */
static int *
fdrecv_mine(void)
{
	int *mine = mmap(NULL, sizeof(*mine), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (mine == MAP_FAILED)
		return NULL;
	if (madvise(mine, sizeof(*mine), MADV_WIPEONFORK) == -1) {
		munmap(mine, sizeof(*mine));
		return NULL;
	}
	*mine = 1;
	return mine;
}

/* Where engines have their rendezvous: beside a default mailbox, which is
 * RUNDIR/mailbox/NAME/. */
static void
fdrecv_scan(struct fdrecv *box, const char *path, const char *run_dir)
{
	char directory[MAILBOX_PATH_SIZE];
	const char *found = strstr(path, "/" FDRECV_WIRE_MAILBOX_DIR "/");

	if (run_dir == NULL)
		run_dir = secure_getenv(FDRECV_WIRE_ENV_RUN_DIR);
	if (run_dir == NULL && found != NULL) {
		snprintf(directory, sizeof(directory), "%.*s",
		    (int)(found - path), path);
		run_dir = directory;
	}
	if (run_dir != NULL)
		fdrecv_engine_conns_scan(&box->links, run_dir);
}

static int
fdrecv_start(
    struct fdrecv *box, const char *path, const struct fdrecv_options *options)
{
	uint32_t weight =
	    options->weight == 0 ? FDRECV_WEIGHT : options->weight;
	/* Those who count say how many there are with each receipt. */
	uint16_t told = options->flags & FDRECV_COUNTED ? FDRECV_WIRE_COUNTED :
							  FDRECV_WIRE_OFFER;

	errno = EINVAL;
	if ((options->flags & ~FDRECV_FLAGS) != 0 ||
	    weight > FDRECV_WIRE_WEIGHT_MAX)
		return -1;
	box->flags = options->flags;
	box->mine = fdrecv_mine();
	if (box->mine == NULL ||
	    fdrecv_engine_conns_init(
		&box->links, &box->mailbox, weight, told) == -1 ||
	    fdrecv_bound_mailbox_open(&box->mailbox, path) == -1)
		return -1;
	fdrecv_scan(box, path, options->run_dir);
	return 0;
}

static void
fdrecv_free(struct fdrecv *box)
{
	int saved = errno;

	fdrecv_arrival_close(&box->arrival);
	if (box->poll != -1)
		close(box->poll);
	fdrecv_engine_conns_close(&box->links);
	fdrecv_bound_mailbox_close(&box->mailbox);
	if (box->mine != NULL)
		munmap(box->mine, sizeof(*box->mine));
	free(box);
	errno = saved;
}

struct fdrecv *
fdrecv_open(const char *path, const struct fdrecv_options *options)
{
	struct fdrecv_options known = FDRECV_OPTIONS_INIT;
	struct fdrecv *box = calloc(1, sizeof(*box));

	if (box == NULL)
		return NULL;
	box->poll = box->mailbox.fd = box->mailbox.directory = -1;
	for (size_t i = 0; i < LINKS_MAX; i++)
		box->links.items[i].fd = -1;
	/* The caller's may be older and shorter. */
	if (options != NULL) {
		known.size = options->size;
		memcpy(&known, options,
		    options->size < sizeof(known) ? options->size :
						    sizeof(known));
	}
	errno = EINVAL;
	if (known.size >= offsetof(struct fdrecv_options, weight) &&
	    fdrecv_start(box, path, &known) == 0)
		return box;
	fdrecv_free(box);
	return NULL;
}

void
fdrecv_drain(struct fdrecv *box)
{
	if (box != NULL)
		fdrecv_bound_mailbox_leave(&box->mailbox);
}

void
fdrecv_close(struct fdrecv *box)
{
	if (box == NULL)
		return;
	if (box->epoch != 0 && *box->mine)
		fdrecv_box_tell_taken(box, box->epoch, box->sequence, 1);
	fdrecv_bound_mailbox_leave(&box->mailbox);
	fdrecv_free(box);
}

void
fdrecv_after_fork(struct fdrecv *box)
{
	if (box != NULL)
		fdrecv_free(box);
}
