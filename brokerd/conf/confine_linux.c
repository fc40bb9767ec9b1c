/* SPDX-License-Identifier: ISC */
/*
 * The rights that the config reader gives up itself.  By Landlock it can read
 * files, since a configuration may include any, and name services are libraries
 * that read what they like; but it can write, make, remove or execute none, be
 * no TCP server, and not reach abstract sockets or signal processes.  Its
 * system calls are those of brokerd/filter/lists.c.
 */
#include "conf/confine.h"

#include "base/fd.h"
#include "base/filter.h"
#include "base/landlock.h"
#include "base/log.h"
#include "base/role.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int
confine_allow_reading(const struct landlock *landlock)
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int result = root == -1 ? -1 :
				  landlock_allow(landlock, root,
				      LANDLOCK_READ_FILE | LANDLOCK_READ_DIR);

	fd_close(root);
	return result;
}

static int
confine_files(struct log *log)
{
	struct landlock landlock;

	if (landlock_begin(&landlock, LANDLOCK_TCP_BIND) == -1) {
		if (log != NULL)
			log_line(log, LOG_NOTICE,
			    "config reader: no Landlock in this kernel (%s): "
			    "only the permissions of files protect them",
			    strerror(errno));
		return 0;
	}
	if (confine_allow_reading(&landlock) == -1) {
		landlock.rules = fd_close(landlock.rules);
		return -1;
	}
	return landlock_enter(&landlock);
}

/* The engine says whether there are filters, and requires that of the monitor:
 * the reader also works without a monitor. */
int
confine_enter(struct log *log)
{
	if (role_settle("brokerd-conf") == -1 || confine_files(log) == -1)
		return -1;
	if (role_restrict(&filter_reader) == -1 &&
	    !filter_is_on(&filter_reader))
		return -1;
	return 0;
}
