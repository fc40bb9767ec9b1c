/* SPDX-License-Identifier: ISC */
/*
 * What was left in the run directory by brokers that were killed, by engines
 * that ended after their monitor, and by listeners that the configuration does
 * not have any more.  Runs as root, at its end.  Only root can write to these
 * two directories, so their names can be trusted.  Nothing is removed that
 * somebody uses: the kernel says whether a socket is open, and rmdir(2) fails
 * if there is a mailbox.
 */
#include "monitor/leftovers.h"

#include "wire/liveness.h"
#include "wire/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A worker may wait in the directory of a listener until there is a broker. */
static int
leftovers_is_listener(const struct table *table, const char *name)
{
	for (size_t i = 0; i < table->record_count; i++)
		if (table->records[i].type == RECORD_ENDPOINT &&
		    strcmp(table->records[i].u.endpoint.listener, name) == 0)
			return 1;
	return 0;
}

/* "." and ".." cannot be removed in this way. */
void
leftovers_remove(const struct rundir *rundir, const struct table *table)
{
	DIR *mailboxes =
	    fdopendir(fcntl(rundir->mailboxes, F_DUPFD_CLOEXEC, 0));
	const struct dirent *entry;
	struct sockaddr_un address;

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++)
		if (fdrecv_names_rendezvous(rundir->path, i, &address) == 0 &&
		    fdrecv_liveness_probe(&address) == 0)
			unlink(address.sun_path);
	if (mailboxes == NULL)
		return;
	while ((entry = readdir(mailboxes)) != NULL)
		if (!leftovers_is_listener(table, entry->d_name))
			unlinkat(
			    rundir->mailboxes, entry->d_name, AT_REMOVEDIR);
	closedir(mailboxes);
}
