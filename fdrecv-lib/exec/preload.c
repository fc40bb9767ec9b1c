/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --preload: LD_PRELOAD.  Only the dynamic linker reads it, and not
 * in programs that gain privileges by exec.  Other programs would bind their
 * addresses themselves and fail for no visible reason, so they are refused.
 */
#include "exec/preload.h"

#include <sys/stat.h>
#include <sys/xattr.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Colons and spaces separate the libraries; they cannot be escaped. */
static int
preload_has(const char *list, const char *library)
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
	if (preload_has(others, library))
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
preload_is_static(int fd)
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
preload_is_privileged(const struct stat *st, const char *path)
{
	int group = (st->st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP);

	return ((st->st_mode & S_ISUID) && st->st_uid != geteuid()) ||
	    (group && st->st_gid != getegid()) ||
	    getxattr(path, "security.capability", NULL, 0) > 0;
}

const char *
preload_reason_against(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const char *reason = NULL;
	struct stat st;

	if (stat(path, &st) == 0 && preload_is_privileged(&st, path))
		reason =
		    "it runs set-user-ID, set-group-ID or with capabilities";
	else if (fd != -1 && preload_is_static(fd))
		reason = "it is statically linked";
	if (fd != -1)
		close(fd);
	return reason;
}
