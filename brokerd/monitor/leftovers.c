/* SPDX-License-Identifier: ISC */
/*
 * What was left in the run directory by brokers that were killed, by engines
 * that ended after their monitor, and by listeners that the configuration does
 * not have any more.  Runs as root, at its end.  Only root can write to these
 * two directories, so their names can be trusted.  Nothing is removed that
 * somebody uses: the kernel says whether a socket is open, and rmdir(2) fails
 * if there is a mailbox or another file.
 */
#include "monitor/leftovers.h"

#include "base/clock.h"
#include "base/text.h"
#include "monitor/privilege.h"
#include "monitor/spawn.h"

#include "wire/liveness.h"
#include "wire/names.h"

#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define LEFTOVERS_MS 5000 /* for the mailboxes of all listeners */

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

/* Removes the dead sockets of a directory that its owner may have changed in
 * any way: as that user, in a child that is killed if it hangs (FUSE). */
static void
leftovers_clear(
    const struct rundir *rundir, const char *name, uint64_t deadline_ms)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct dirent *entry;
	struct stat st;
	DIR *dir = NULL;
	pid_t pid = -1;

	if (fstatat(rundir->mailboxes, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		pid = fork();
	if (pid == 0 && privilege_drop(st.st_uid, st.st_gid) == 0 &&
	    fchdir(rundir->mailboxes) == 0 && chdir(name) == 0)
		dir = opendir(".");
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (entry->d_type == DT_SOCK &&
		    text_copy(address.sun_path, sizeof(address.sun_path),
			entry->d_name) == 0 &&
		    fdrecv_liveness_probe(&address) == 0)
			unlink(entry->d_name);
	if (pid == 0)
		_exit(0);
	if (pid != -1)
		spawn_wait(pid, deadline_ms);
}

void
leftovers_remove(const struct rundir *rundir, const struct table *table)
{
	DIR *dir = fdopendir(fcntl(rundir->mailboxes, F_DUPFD_CLOEXEC, 0));
	uint64_t deadline_ms = clock_ms() + LEFTOVERS_MS;
	const struct dirent *entry;
	struct sockaddr_un address;

	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++)
		if (fdrecv_names_rendezvous(rundir->path, i, &address) == 0 &&
		    fdrecv_liveness_probe(&address) == 0)
			unlink(address.sun_path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		if (entry->d_name[0] != '.' &&
		    !leftovers_is_listener(table, entry->d_name)) {
			leftovers_clear(rundir, entry->d_name, deadline_ms);
			unlinkat(
			    rundir->mailboxes, entry->d_name, AT_REMOVEDIR);
		}
	closedir(dir);
}
