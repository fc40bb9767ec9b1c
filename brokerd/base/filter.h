/* SPDX-License-Identifier: ISC */
#pragma once

#include <linux/filter.h>

#include <errno.h>

/* With this errno a filter answers prctl(PR_GET_SECCOMP, its mark), which does
 * not fail otherwise. */
#define FILTER_ANSWER EALREADY

/* The system calls that a role may make.  brokerd/filter makes it when brokerd
 * is built. */
struct filter {
	struct sock_fprog program; /* empty: built without filters */
	unsigned int mark;         /* another one for another list */
};

extern const struct filter filter_monitor, filter_engine, filter_keeper,
    filter_reader;

/* Asks the kernel. */
int filter_is_on(const struct filter *filter);

/* Restricts this process, and all that it forks or executes, for ever; a filter
 * that it has already is not added again.  True if it is on now, else errno may
 * be set. */
int filter_enter(const struct filter *filter);
