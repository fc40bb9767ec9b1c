/* SPDX-License-Identifier: ISC */
/*
 * Makes the system call filters of lists.c, as C.  Runs when brokerd is built,
 * so that no process of it needs libseccomp.
 *
 * usage: make-filters [ARCHITECTURE | lists]
 * An architecture is another one, as libseccomp names it.  "lists" prints the
 * lists for tests.
 */
#include "base/filter.h"
#include "filter/lists.h"

#include <sys/prctl.h>

#include <err.h>
#include <inttypes.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILTER_KILL SCMP_ACT_KILL_PROCESS

/* The next group of a list, or NULL; the first one after NULL. */
static const struct call_group *
main_next(
    const struct call_list *list, int *part, const struct call_group *group)
{
	if (group == NULL)
		group = list->parts[ *part = 0];
	else
		group++;
	while (group->names == NULL) {
		if (++*part == LIST_PARTS || list->parts[*part] == NULL)
			return NULL;
		group = list->parts[*part];
	}
	return group;
}

static void
main_describe(FILE *out, const struct call_group *group)
{
	static const char *const kinds[] = {
	    "allowed", "rare", "refused", "forbidden"};

	fprintf(out, "%s %d \"%s\"", kinds[group->kind], group->error,
	    group->names);
	for (int i = 0; i < CALL_ARGUMENTS; i++)
		if (group->arguments[i].number != 0)
			fprintf(out, " %u:%" PRIx64 ":%" PRIx64,
			    group->arguments[i].number,
			    group->arguments[i].mask,
			    group->arguments[i].value);
	fputc('\n', out);
}

static void
main_add_name(
    scmp_filter_ctx filter, const struct call_group *group, const char *name)
{
	int number = seccomp_syscall_resolve_name(name), failed;
	struct scmp_arg_cmp compare[CALL_ARGUMENTS];
	unsigned int count = 0;
	uint32_t action = group->kind == CALL_REFUSED ?
	    SCMP_ACT_ERRNO((uint32_t)group->error) :
	    group->kind == CALL_FORBIDDEN ? FILTER_KILL :
					    SCMP_ACT_ALLOW;

	if (number == __NR_SCMP_ERROR)
		return; /* newer than libseccomp */
	for (; count < CALL_ARGUMENTS && group->arguments[count].number != 0;
	     count++)
		compare[count] = SCMP_CMP64(group->arguments[count].number - 1,
		    SCMP_CMP_MASKED_EQ, group->arguments[count].mask,
		    group->arguments[count].value);
	failed = seccomp_rule_add_array(filter, action, number, count, compare);
	if (failed != 0)
		errx(1, "%s: %s", name, strerror(-failed));
}

static void
main_add(scmp_filter_ctx filter, const struct call_group *group)
{
	char *names = strdup(group->names), *next = names, *name;

	if (names == NULL)
		err(1, "strdup");
	while ((name = strsep(&next, " ")) != NULL)
		main_add_name(filter, group, name);
	free(names);
}

/* FNV-1a of the list as text */
static uint32_t
main_mark(const struct call_list *list)
{
	const struct call_group *group = NULL;
	uint32_t mark = 2166136261;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	int part;

	if (out == NULL)
		err(1, "open_memstream");
	while ((group = main_next(list, &part, group)) != NULL)
		main_describe(out, group);
	fclose(out);
	for (size_t i = 0; i < size; i++)
		mark = (mark ^ (unsigned char)text[i]) * 16777619;
	free(text);
	return mark;
}

static scmp_filter_ctx
main_make(const struct call_list *list, uint32_t mark, const char *arch)
{
	const struct call_group *group = NULL;
	int part;
	scmp_filter_ctx filter =
	    seccomp_init(list->forbids ? SCMP_ACT_ALLOW : FILTER_KILL);
	uint32_t token =
	    arch == NULL ? SCMP_ARCH_NATIVE : seccomp_arch_resolve_name(arch);

	if (filter == NULL || (token == 0 && arch != NULL))
		errx(1, "%s: unknown to libseccomp", arch == NULL ? "" : arch);
	if (arch != NULL && token != seccomp_arch_native() &&
	    (seccomp_arch_remove(filter, SCMP_ARCH_NATIVE) != 0 ||
		seccomp_arch_add(filter, token) != 0))
		errx(1, "%s: cannot be used", arch);
	if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, FILTER_KILL) !=
		0 ||
	    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0 ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(FILTER_ANSWER),
		SCMP_SYS(prctl), 2,
		SCMP_CMP64(0, SCMP_CMP_MASKED_EQ, UINT32_MAX, PR_GET_SECCOMP),
		SCMP_CMP64(1, SCMP_CMP_MASKED_EQ, UINT32_MAX, mark)) != 0)
		errx(1, "libseccomp is too old");
	while ((group = main_next(list, &part, group)) != NULL)
		main_add(filter, group);
	return filter;
}

static void
main_print_filter(const struct call_list *list, const char *arch)
{
	uint32_t mark = main_mark(list);
	struct sock_filter one;
	scmp_filter_ctx filter;
	FILE *file = tmpfile();

	filter = main_make(list, mark, arch);
	if (file == NULL || seccomp_export_bpf(filter, fileno(file)) != 0)
		err(1, "cannot write a filter");
	rewind(file);
	printf("static const struct sock_filter %s_code[] = {\n", list->name);
	while (fread(&one, sizeof(one), 1, file) == 1)
		printf("    {0x%x, %u, %u, 0x%x},\n", one.code, one.jt, one.jf,
		    one.k);
	printf("};\n\nconst struct filter filter_%s = {\n"
	       "    {sizeof(%s_code) / sizeof(%s_code[0]),\n"
	       "	(struct sock_filter *)(uintptr_t)%s_code},\n"
	       "    0x%x};\n\n",
	    list->name, list->name, list->name, list->name, mark);
	fclose(file);
	seccomp_release(filter);
}

static void
main_print_list(const struct call_list *list)
{
	const struct call_group *group = NULL;
	int part;

	while ((group = main_next(list, &part, group)) != NULL) {
		printf("%s ", list->name);
		main_describe(stdout, group);
	}
}

int
main(int argc, char **argv)
{
	int text = argc > 1 && strcmp(argv[1], "lists") == 0;

	if (!text)
		printf("/* Made by brokerd/filter. */\n"
		       "#include \"base/filter.h\"\n\n"
		       "#include <stdint.h>\n\n");
	for (const struct call_list *list = lists; list->name != NULL; list++)
		if (text)
			main_print_list(list);
		else
			main_print_filter(list, argv[1]);
	return fflush(stdout) == 0 ? 0 : 1;
}
