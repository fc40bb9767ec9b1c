/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the program to execute.  It is found as execvp(3) finds it.
 *
 * LD_PRELOAD, for --preload, is read only by the dynamic linker, and not in
 * programs that gain privileges by exec.  Other programs would bind their
 * addresses themselves and fail for no visible reason, so they are refused.
 */
#include "exec/program.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <elf.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
program_status(int error)
{
	return error == ENOENT ? PROGRAM_NOT_FOUND : PROGRAM_CANNOT_RUN;
}

int
program_run(char **argv)
{
	execvp(argv[0], argv);
	warn("%s", argv[0]);
	return program_status(errno);
}

/* 0 if the file can be executed, otherwise an errno. */
static int
program_try(const char *path)
{
	struct stat st;

	if (access(path, X_OK) == -1 || stat(path, &st) == -1)
		return errno;
	return S_ISREG(st.st_mode) ? 0 : EACCES;
}

/* 0 if PATH has such a file, otherwise an errno. */
static int
program_search(const char *name, char path[PROGRAM_PATH_SIZE])
{
	const char *list = getenv("PATH");
	int error = ENOENT, result;

	if (list == NULL)
		list = "/bin:/usr/bin";
	for (const char *at = list, *next; at != NULL; at = next) {
		size_t length = strcspn(at, ":");

		next = at[length] == ':' ? at + length + 1 : NULL;
		snprintf(path, PROGRAM_PATH_SIZE, "%.*s/%s",
		    length == 0 ? 1 : (int)length, length == 0 ? "." : at,
		    name);
		result = program_try(path);
		if (result == 0)
			return 0;
		/* A directory that cannot be searched counts as empty. */
		if (result == EACCES && access(path, F_OK) == 0)
			error = EACCES;
	}
	return error;
}

void
program_find(const char *name, char path[PROGRAM_PATH_SIZE])
{
	int error;

	if (strchr(name, '/') == NULL) {
		error = program_search(name, path);
	} else {
		snprintf(path, PROGRAM_PATH_SIZE, "%s", name);
		error = program_try(name);
	}
	if (error != 0) {
		errno = error;
		err(program_status(error), "%s", name);
	}
}

/* Colons and spaces separate the libraries; they cannot be escaped. */
static int
program_has_preload(const char *list, const char *library)
{
	size_t length = strlen(library);

	while (*list != '\0') {
		size_t n = strcspn(list, ": ");

		if (n == length && strncmp(list, library, n) == 0)
			return 1;
		list += list[n] == '\0' ? n : n + 1;
	}
	return 0;
}

int
program_preload(const char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char *text;
	int result;

	if (others == NULL || others[0] == '\0')
		return setenv("LD_PRELOAD", library, 1);
	if (program_has_preload(others, library))
		return 0; /* an earlier loader has put it there */
	if (asprintf(&text, "%s:%s", library, others) == -1)
		return -1;
	result = setenv("LD_PRELOAD", text, 1);
	free(text);
	return result;
}

/* True if the file is a 64-bit program without a dynamic linker.  Nothing is
 * known of other files, such as scripts. */
static int
program_is_static(int fd)
{
	Elf64_Ehdr head;
	Elf64_Phdr part;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
	    head.e_ident[EI_CLASS] != ELFCLASS64 ||
	    head.e_phentsize != sizeof(part))
		return 0;
	for (Elf64_Half i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + i * sizeof(part));

		if (pread(fd, &part, sizeof(part), at) != sizeof(part) ||
		    part.p_type == PT_INTERP)
			return 0;
	}
	return 1;
}

/* True if exec(2) gives the program privileges that this process lacks. */
static int
program_is_privileged(const struct stat *st, const char *path)
{
	int group = (st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);

	return ((st->st_mode & S_ISUID) && st->st_uid != geteuid()) ||
	    (group && st->st_gid != getegid()) ||
	    getxattr(path, "security.capability", NULL, 0) > 0;
}

const char *
program_reason_against_preload(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *reason = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && program_is_privileged(&st, path))
		reason =
		    "it runs set-user-ID, set-group-ID or with capabilities";
	else if (fd != -1 && program_is_static(fd))
		reason = "it is statically linked";
	if (fd != -1)
		close(fd);
	return reason;
}
