/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec --preload: LD_PRELOAD, and programs that do not read it.
 */
#include "exec/preload.h"
#include "fixture/unit.h"

#include <sys/stat.h>

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *before;
	const char *after;
} lists[] = {
    {NULL, "/lib/x.so"},
    {"", "/lib/x.so"},
    {"/lib/y.so", "/lib/x.so:/lib/y.so"},
    {"/lib/y.so /lib/z.so", "/lib/x.so:/lib/y.so /lib/z.so"},
    {"/lib/x.so", "/lib/x.so"},
    {"/lib/y.so:/lib/x.so", "/lib/y.so:/lib/x.so"},
    {"/lib/y.so /lib/x.so z", "/lib/y.so /lib/x.so z"},
    {"/usr/lib/x.so", "/lib/x.so:/usr/lib/x.so"},
    {"/lib/x.so.1", "/lib/x.so:/lib/x.so.1"},
};

static void
add(void *argument)
{
	int i = *(const int *)argument;

	if (lists[i].before == NULL)
		unsetenv("LD_PRELOAD");
	else
		setenv("LD_PRELOAD", lists[i].before, 1);
	unit_must(preload_add("/lib/x.so") == 0);
	unit_must(strcmp(getenv("LD_PRELOAD"), lists[i].after) == 0);
}

START_TEST(it_is_first_and_once)
{
	unit_in_child(add, &_i);
}
END_TEST

/* An ELF program of 64 bits with these parts. */
static const char *
make_program(const Elf64_Word *types, Elf64_Half count, unsigned char class)
{
	const char *path = unit_path("program");
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	Elf64_Ehdr head = {.e_phoff = sizeof(head),
	    .e_phentsize = sizeof(Elf64_Phdr),
	    .e_phnum = count};

	memcpy(head.e_ident, ELFMAG, SELFMAG);
	head.e_ident[EI_CLASS] = class;
	ck_assert_int_eq(write(fd, &head, sizeof(head)), sizeof(head));
	for (Elf64_Half i = 0; i < count; i++) {
		Elf64_Phdr part = {.p_type = types[i]};

		ck_assert_int_eq(write(fd, &part, sizeof(part)), sizeof(part));
	}
	close(fd);
	return path;
}

START_TEST(static_programs_are_known)
{
	const Elf64_Word plain[] = {PT_PHDR, PT_LOAD};
	const Elf64_Word linked[] = {PT_PHDR, PT_LOAD, PT_INTERP};

	ck_assert_str_eq(
	    preload_reason_against(make_program(plain, 2, ELFCLASS64)),
	    "it is statically linked");
	ck_assert_ptr_null(
	    preload_reason_against(make_program(linked, 3, ELFCLASS64)));
	ck_assert_str_eq(
	    preload_reason_against(make_program(plain, 2, ELFCLASS32)),
	    "it is for another architecture");
	/* Truncated, so it is unknown. */
	ck_assert_int_eq(truncate(make_program(plain, 2, ELFCLASS64), 100), 0);
	ck_assert_ptr_null(preload_reason_against(unit_path("program")));
}
END_TEST

/* cgo programs have a dynamic linker. */
START_TEST(programs_of_go_are_known)
{
	static const struct {
		Elf64_Nhdr head;
		char name[4];
		char text[8];
	} notes[] = {
	    {{4, 8, 3}, "GNU", "1234567"},
	    {{4, 8, 4}, "Go", "1234567"},
	};
	const Elf64_Word linked[] = {PT_INTERP, PT_NOTE};

	for (int i = 1; i < 3; i++) {
		const char *path = make_program(linked, 2, ELFCLASS64);
		Elf64_Phdr part = {.p_type = PT_NOTE,
		    .p_offset = 4096,
		    .p_filesz = (Elf64_Xword)i * sizeof(notes[0])};
		int fd = open(path, O_WRONLY | O_CLOEXEC);

		ck_assert_int_eq(
		    pwrite(fd, notes, sizeof(notes), 4096), sizeof(notes));
		ck_assert_int_eq(pwrite(fd, &part, sizeof(part),
				     sizeof(Elf64_Ehdr) + sizeof(part)),
		    sizeof(part));
		close(fd);
		if (i == 1)
			ck_assert_ptr_null(preload_reason_against(path));
		else
			ck_assert_str_eq(preload_reason_against(path),
			    "it is written in Go and calls the kernel without "
			    "libc");
	}
}
END_TEST

static void
make_script(const char *interpreter)
{
	int fd = open(unit_path("script"),
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);

	ck_assert_int_ne(dprintf(fd, "#! %s -x\n", interpreter), -1);
	close(fd);
}

START_TEST(a_script_is_as_its_interpreter)
{
	const Elf64_Word plain[] = {PT_LOAD};

	make_script("/bin/sh");
	ck_assert_ptr_null(preload_reason_against(unit_path("script")));
	make_script(unit_path("none"));
	ck_assert_ptr_null(preload_reason_against(unit_path("script")));
	make_script(make_program(plain, 1, ELFCLASS64));
	ck_assert_str_eq(preload_reason_against(unit_path("script")),
	    "it is statically linked");
	ck_assert_ptr_null(preload_reason_against(unit_path("none")));
}
END_TEST

/* exec gives this user's own programs no new rights. */
START_TEST(programs_that_gain_rights_are_known)
{
	const Elf64_Word linked[] = {PT_INTERP};
	const char *path = make_program(linked, 1, ELFCLASS64);

	ck_assert_int_eq(chmod(path, 04755), 0);
	ck_assert_ptr_null(preload_reason_against(path));
	if (geteuid() != 0) {
		unit_skip("only root can give files away");
		return;
	}
	ck_assert_int_eq(chown(path, 60591, 60591), 0);
	ck_assert_int_eq(chmod(path, 0755), 0);
	ck_assert_ptr_null(preload_reason_against(path));
	for (mode_t mode = 02000; mode <= 04000; mode += 02000) {
		ck_assert_int_eq(chmod(path, mode | 0755), 0);
		ck_assert_str_eq(preload_reason_against(path),
		    "it runs set-user-ID, set-group-ID or with capabilities");
	}
	/* Without that bit it only means mandatory locking. */
	ck_assert_int_eq(chmod(path, 02745), 0);
	ck_assert_ptr_null(preload_reason_against(path));
}
END_TEST

UNIT_SUITE(preload)
{
	TCase *tc = unit_case(suite, "exec_program");

	tcase_add_loop_test(tc, it_is_first_and_once, 0, UNIT_COUNT(lists));
	tcase_add_test(tc, static_programs_are_known);
	tcase_add_test(tc, programs_of_go_are_known);
	tcase_add_test(tc, a_script_is_as_its_interpreter);
	tcase_add_test(tc, programs_that_gain_rights_are_known);
}
