/* SPDX-License-Identifier: ISC */
#ifndef UNIT_PROBE_H
#define UNIT_PROBE_H

#include "base/log.h"

#include <stddef.h>
#include <stdint.h>

/*
 * For tests of what the monitor starts: a test program is its own child, by
 * the name that it is started under, and a test can tell what a process has.
 */

/* Ids that differ from each other and from all others here. */
#define PROBE_UID 60583
#define PROBE_GID 60584

/* Gives this program, opened with O_PATH. */
int probe_program(void);

/* Closes what the test has inherited and reserves the numbers of a child's
 * descriptors, as the monitor does at its start.  Only in a child. */
void probe_descriptors(void);

/* NULL if this process can do as root what the monitor does, else why not. */
const char *probe_not_root(void);

/* True unless the ids that root gives a child keep it from executing this
 * program; then that was said. */
int probe_is_for_all(void);

/* What /proc/self/status says after "field:".  Good until the next call. */
const char *probe_status(const char *field);

/* The same as the set of bits that it is in hexadecimal. */
uint64_t probe_set(const char *field);

/* Starts a log, of the role "test", on a pipe: out[0] is where to read it. */
void probe_log(struct log *log, int out[2]);

/* How many descriptors are open. */
int probe_count(void);

/* Makes this process's effective, permitted and inheritable set this one. */
void probe_capabilities(uint64_t set);

/* Reads what is in fd now, at most size - 1 bytes, and ends it with a NUL. */
void probe_read(int fd, char *text, size_t size);

#endif
