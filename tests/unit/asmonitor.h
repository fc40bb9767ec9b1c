/* SPDX-License-Identifier: ISC */
#ifndef UNIT_ASMONITOR_H
#define UNIT_ASMONITOR_H

#include <sys/types.h>

#include <check.h>

/* Tests that have what a monitor has: as root its capabilities, of which none
 * overrides file permissions; as an ordinary user none. */

/* A second user, and a group that is not this one's either. */
#define ASMONITOR_USER 60592
#define ASMONITOR_GROUP 60593

/* unit_case(), with the capabilities reduced. */
TCase *asmonitor_case(Suite *suite, const char *name);

/* True as root; else says that test needs a second user. */
#define asmonitor_is_root() asmonitor_is_root_for(__func__)
int asmonitor_is_root_for(const char *test);

/* unit_directory(), given to the second user and group.  Only as root. */
const char *asmonitor_directory(const char *name, mode_t mode);

#endif
