/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: LD_PRELOAD.  It is read only by the dynamic linker, and not in
 * programs that gain privileges by exec; and programs of Go call the kernel
 * themselves, also if they are dynamically linked, as with cgo.  Such programs
 * would bind their addresses themselves and fail for no visible reason, so they
 * are recognized before they start.
 */
#include "exec/preload.h"

#include "exec/cmdline.h"
#include "exec/program.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <err.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define PRELOAD_NOTES_SIZE 4096
#define PRELOAD_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)

/* Colons and spaces separate the libraries; they cannot be escaped. */
static int
preload_is_in(const char *list, const char *library)
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
preload_add(const char *library)
{
	const char *others = getenv("LD_PRELOAD");
	char *text;
	int result;

	if (others == NULL || others[0] == '\0')
		return setenv("LD_PRELOAD", library, 1);
	if (preload_is_in(others, library))
		return 0; /* an earlier loader has put it there */
	if (asprintf(&text, "%s:%s", library, others) == -1)
		return -1;
	result = setenv("LD_PRELOAD", text, 1);
	free(text);
	return result;
}

/* True if one of the notes is that of Go's linker, its build ID. */
static int
preload_has_go_note(int fd, const ElfW(Phdr) * part)
{
	char notes[PRELOAD_NOTES_SIZE];
	ElfW(Nhdr) note;
	ssize_t size = pread(fd, notes,
	    part->p_filesz < sizeof(notes) ? part->p_filesz : sizeof(notes),
	    (off_t)part->p_offset);
	size_t next, left = size < 0 ? 0 : (size_t)size;

	for (const char *at = notes; left > sizeof(note); at += next) {
		memcpy(&note, at, sizeof(note));
		next = sizeof(note) + ((note.n_namesz + 3UL) & ~3UL) +
		    ((note.n_descsz + 3UL) & ~3UL);
		if (next > left)
			return 0;
		if (note.n_namesz == 4 &&
		    memcmp(at + sizeof(note), "Go\0", 4) == 0)
			return 1;
		left -= next;
	}
	return 0;
}

/* Nothing is known of files that are no programs of this system. */
static const char *
preload_reason_of_file(int fd)
{
	int is_dynamic = 0, is_go = 0;
	ElfW(Ehdr) head;
	ElfW(Phdr) part;

	if (pread(fd, &head, sizeof(head), 0) != sizeof(head) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return NULL;
	if (head.e_ident[EI_CLASS] != PRELOAD_CLASS)
		return "it is for another architecture";
	if (head.e_phentsize != sizeof(part))
		return NULL;
	for (size_t i = 0; i < head.e_phnum; i++) {
		if (pread(fd, &part, sizeof(part),
			(off_t)(head.e_phoff + i * sizeof(part))) !=
		    sizeof(part))
			return NULL;
		is_dynamic |= part.p_type == PT_INTERP;
		is_go |=
		    part.p_type == PT_NOTE && preload_has_go_note(fd, &part);
	}
	if (is_go)
		return "it is written in Go and calls the kernel without libc";
	return is_dynamic ? NULL : "it is statically linked";
}

/* True if exec(2) gives the program privileges that this process lacks. */
static int
preload_is_privileged(const struct stat *st, const char *path)
{
	int group = (st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);

	return ((st->st_mode & S_ISUID) && st->st_uid != geteuid()) ||
	    (group && st->st_gid != getegid()) ||
	    getxattr(path, "security.capability", NULL, 0) > 0;
}

/* Opens the file, or the interpreter of a script.  -1 if that fails. */
static int
preload_open(const char *path)
{
	char line[256] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *name = line + 2;

	if (fd == -1 || pread(fd, line, sizeof(line) - 1, 0) < 2 ||
	    line[0] != '#' || line[1] != '!')
		return fd;
	close(fd);
	name += strspn(name, " \t");
	name[strcspn(name, " \t\r\n")] = '\0';
	return open(name, O_RDONLY | O_CLOEXEC);
}

const char *
preload_reason_against(const char *path)
{
	const char *reason = NULL;
	struct stat st;
	int fd;

	if (stat(path, &st) == 0 && preload_is_privileged(&st, path))
		return "it runs set-user-ID, set-group-ID or with "
		       "capabilities";
	fd = preload_open(path);
	if (fd != -1) {
		reason = preload_reason_of_file(fd);
		close(fd);
	}
	return reason;
}

void
preload_check(const struct cmdline *cmdline)
{
	char path[PROGRAM_PATH_SIZE];
	const char *reason;

	if (access(cmdline->library, R_OK) == -1)
		err(EX_OSFILE, "--preload: %s", cmdline->library);
	program_find(cmdline->program[0], path);
	reason = preload_reason_against(path);
	if (reason != NULL)
		errx(PROGRAM_CANNOT_RUN,
		    "%s: nothing can be preloaded: %s: expected --systemd or "
		    "--fd and a program that takes sockets",
		    cmdline->program[0], reason);
}
