/* SPDX-License-Identifier: ISC */
/*
 * What the engine and its keeper may open, by Landlock.  The engine opens
 * directories of mailboxes, to list them, and reads the names of programs that
 * have sockets from /proc; the keeper lists its own descriptors there.  To
 * watch a directory, to connect to a mailbox and to open with O_PATH needs no
 * right.
 *
 * A rule holds for an inode and for what is below it, and directories of
 * mailboxes may be made late or made anew, as may those above them.  So the
 * rule for one that the monitor does not make is that of the directory just
 * below / in which it lies.
 */
#include "engine/engine_files.h"

#include "base/fd.h"
#include "base/landlock.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/records.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define ENGINE_FILES_WHERE (O_PATH | O_DIRECTORY | O_CLOEXEC)

/* Opens the directory of path, or the first one above it that exists. */
static int
engine_files_open_directory(const char *path)
{
	char directory[RECORD_PATH_SIZE];
	int fd = -1;
	char *slash;

	if (text_copy(directory, sizeof(directory), path) == -1)
		return -1;
	while (fd == -1 && (slash = strrchr(directory, '/')) != NULL) {
		*slash = '\0';
		fd = open(
		    slash == directory ? "/" : directory, ENGINE_FILES_WHERE);
	}
	return fd;
}

static int
engine_files_is_same(int a, int b)
{
	struct stat one, other;

	return fstat(a, &one) == 0 && fstat(b, &other) == 0 &&
	    one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

/* Takes directory; gives the one just below root in which it is. */
static int
engine_files_climb(int directory, int root)
{
	int up;

	while ((up = openat(directory, "..", ENGINE_FILES_WHERE)) != -1 &&
	    !engine_files_is_same(up, root)) {
		fd_close(directory);
		directory = up;
	}
	fd_close(up);
	return directory;
}

/* A mailbox that is no directory needs no right. */
static int
engine_files_allow_mailbox(const struct landlock *landlock,
    const struct record_endpoint *endpoint, int root)
{
	size_t length = strlen(endpoint->mailbox);
	int directory, result;

	if (endpoint->default_mailbox || length == 0 ||
	    endpoint->mailbox[length - 1] != '/')
		return 0;
	directory = engine_files_open_directory(endpoint->mailbox);
	if (directory == -1)
		return -1;
	directory = engine_files_climb(directory, root);
	result = landlock_allow(landlock, directory, LANDLOCK_READ_DIR);
	fd_close(directory);
	return result;
}

static int
engine_files_allow(
    const struct landlock *landlock, const char *path, uint64_t rights)
{
	int directory = engine_files_open_directory(path);
	int result =
	    directory == -1 ? -1 : landlock_allow(landlock, directory, rights);

	fd_close(directory);
	return result;
}

static int
engine_files_allow_record(const struct landlock *landlock,
    const struct record *record, int *lends, int root)
{
	const char *path = record_path(&record->u.socket);

	if (record->type == RECORD_RENDEZVOUS && path != NULL)
		return engine_files_allow(landlock, path, LANDLOCK_READ_DIR);
	if (record->type != RECORD_ENDPOINT)
		return 0;
	if (record_is_lent(record) && !*lends) {
		*lends = 1;
		if (engine_files_allow(
			landlock, "/proc/", LANDLOCK_READ_FILE) == -1)
			return -1;
	}
	return engine_files_allow_mailbox(landlock, &record->u.endpoint, root);
}

static int
engine_files_allow_records(
    const struct landlock *landlock, const struct records *records)
{
	int lends = 0, result = 0, root;
	const struct record *record;

	root = open("/", ENGINE_FILES_WHERE);
	for (uint32_t i = 0; result == 0; i++) {
		record = records_find_socket(records, i);
		if (record == NULL) /* or the engine will not take it */
			break;
		result =
		    engine_files_allow_record(landlock, record, &lends, root);
	}
	fd_close(root);
	return result;
}

int
engine_files_limit(const struct records *records, struct log *log)
{
	struct landlock landlock;

	if (landlock_begin(
		&landlock, LANDLOCK_TCP_BIND | LANDLOCK_TCP_CONNECT) == -1) {
		log_line(log, LOG_NOTICE,
		    "no Landlock in this kernel (%s): only the permissions of "
		    "files protect them",
		    strerror(errno));
		return 0;
	}
	if (landlock.abi < LANDLOCK_SCOPES)
		log_line(log, LOG_NOTICE,
		    "Landlock of this kernel (ABI %d) protects files, but %s",
		    landlock.abi,
		    landlock.abi < LANDLOCK_TCP ?
			"not TCP, abstract sockets and processes" :
			"not abstract sockets and processes");
	if ((records == NULL ?
		    engine_files_allow(&landlock, "/proc/", LANDLOCK_READ_DIR) :
		    engine_files_allow_records(&landlock, records)) == -1) {
		landlock.rules = fd_close(landlock.rules);
		return -1;
	}
	return landlock_enter(&landlock);
}
