/* SPDX-License-Identifier: ISC */
/*
 * Files that a configuration includes.  The monitor opens only the main file.
 * The config reader opens these, so its user needs permission to read them.
 */
#include "conf/syntax/include.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define INCLUDE_SIZE 1024   /* of a pattern: glob(3) recurses at each slash */
#define INCLUDE_MAX 1000    /* statements in all files together */
#define INCLUDE_US 10000000 /* for all patterns together */

static void
include_error(const struct include *include, const char *path, int error)
{
	if (error == EACCES)
		diagnostics_error(include->out, include->at,
		    "include: " REASON_VALUE ": %s: expected read permission "
		    "for uid %u (for example mode 0644, or group %u and mode "
		    "0640), and search permission on its directories and for "
		    "a pattern also read permission (for example mode 0755)",
		    path, strerror(error), (unsigned int)getuid(),
		    (unsigned int)getgid());
	else if (error == EMFILE || error == ENFILE || error == EIO ||
	    error == EINTR || error == EAGAIN || error == ESTALE)
		diagnostics_passing(include->out, include->at,
		    "include: " REASON_VALUE ": %s", path, strerror(error));
	else if (error == ENOMEM)
		include->out->failed = 1;
	else
		diagnostics_error(include->out, include->at,
		    "include: " REASON_VALUE ": %s: expected a file, or a "
		    "pattern such as \"*.conf\"",
		    path, strerror(error));
}

/* Writes the pattern, after the includer's directory if it is relative.  0,
 * or -1 if it is too long. */
static int
include_pattern(
    const struct include *include, const char *pattern, char text[INCLUDE_SIZE])
{
	const char *name = include->out->files[include->includer->file];
	const char *slash = pattern[0] != '/' ? strrchr(name, '/') : NULL;
	size_t used = 0;

	for (; slash != NULL && name <= slash && used < INCLUDE_SIZE - 2;
	     name++) {
		if (strchr("*?[\\", *name) != NULL)
			text[used++] = '\\'; /* no wildcard */
		text[used++] = *name;
	}
	return text_copy(text + used, INCLUDE_SIZE - used, pattern);
}

/* For glob(3): without its directory a pattern matches nothing. */
static int
include_is_fatal(const char *directory, int error)
{
	(void)directory;
	return error != ENOENT;
}

/* True if the files from include->next on are not too many.  Files that the
 * earlier ones include count as well. */
static int
include_has_room(const struct include *include, const char *name)
{
	size_t count =
	    include->out->file_count + include->files.gl_pathc - include->next;

	if (count <= DIAGNOSTICS_FILES)
		return 1;
	diagnostics_error(include->out, include->at,
	    "include: " REASON_VALUE ": %zu files: expected at most %d in all",
	    name, count - 1, DIAGNOSTICS_FILES - 1);
	return 0;
}

/* Fills include->files.  0, or -1 after an error. */
static int
include_match(struct include *include, const char *pattern)
{
	char path[INCLUDE_SIZE];
	int error = ENAMETOOLONG, result = GLOB_ABORTED;
	uint64_t begun_us;

	if (include_pattern(include, pattern, path) == 0) {
		begun_us = clock_us();
		errno = EACCES;
		result =
		    glob(path, GLOB_NOMAGIC, include_is_fatal, &include->files);
		error = errno;
		include->out->include_us += clock_us() - begun_us;
	}
	if (result == GLOB_NOSPACE)
		include->out->failed = 1;
	else if (result == GLOB_ABORTED)
		include_error(include, pattern, error);
	else if (include_has_room(include, pattern))
		return 0;
	return -1;
}

void
include_init(struct include *include, const struct source *includer,
    struct location at, const char *pattern, struct diagnostics *out)
{
	int depth = 0;

	*include = (struct include){.includer = includer, .at = at, .out = out};
	for (const struct source *s = includer; s->includer != NULL;
	     s = s->includer)
		depth++;
	out->include_count++;
	if (out->include_count > INCLUDE_MAX) {
		/* Only once: the others need no time, and say nothing new. */
		if (out->include_count == INCLUDE_MAX + 1)
			diagnostics_error(out, at,
			    "include: too many statements: expected at most %d "
			    "in all files",
			    INCLUDE_MAX);
	} else if (out->include_us > INCLUDE_US) {
		diagnostics_passing(out, at,
		    "include: the patterns so far took %d s: expected fewer, "
		    "or fewer wildcards in directories",
		    INCLUDE_US / 1000000);
		out->include_count = INCLUDE_MAX + 1;
	} else if (depth >= INCLUDE_DEPTH)
		diagnostics_error(out, at,
		    "include: nested too deeply: expected at most %d files "
		    "that include each other",
		    INCLUDE_DEPTH);
	else if (include_match(include, pattern) == 0)
		return;
	include->next = include->files.gl_pathc;
}

/* True unless the file is being read already. */
static int
include_is_new(const struct include *include)
{
	const struct source *source = &include->source, *s = include->includer;

	while (s != NULL &&
	    (s->device != source->device || s->inode != source->inode))
		s = s->includer;
	if (s == NULL)
		return 1;
	diagnostics_error(include->out, include->at,
	    "include: " REASON_VALUE " includes itself: expected another file",
	    include->out->files[source->file]);
	return 0;
}

/* Returns 1, or 0 after an error. */
static int
include_read(struct include *include, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int file = -1, result = -1;

	if (fd != -1)
		file = diagnostics_add_file(include->out, path);
	include->source = (struct source){
	    .includer = include->includer, .file = (unsigned int)file};
	if (file != -1)
		result = source_read(&include->source, fd, include->out);
	if (result == -1)
		include_error(include, path, errno);
	fd_close(fd);
	if (result == 1 && !include_is_new(include)) {
		source_done(&include->source);
		return 0;
	}
	return result == 1;
}

int
include_next(struct include *include)
{
	const glob_t *files = &include->files;
	int found = 0;

	source_done(&include->source);
	while (!found && include->next < files->gl_pathc &&
	    include_has_room(include, files->gl_pathv[include->next]))
		found = include_read(include, files->gl_pathv[include->next++]);
	return found;
}

void
include_done(struct include *include)
{
	globfree(&include->files);
}
