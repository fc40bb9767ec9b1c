/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the command line.  Wrong ones are tested by the integration
 * tests.
 */
#include "exec/cmdline.h"
#include "exec/convention.h"
#include "fixture/unit.h"

#include <stdlib.h>
#include <string.h>

#define WORDS 12

static const struct {
	const char *words[WORDS];
	enum convention_id convention;
	size_t listeners;
	unsigned int timeout_s;
	unsigned int limit;
	unsigned int stop_timeout_s;
} lines[] = {
    {{"a", "--", "p"}, CONVENTION_SYSTEMD, 1, 30, 40, 90},
    {{"a", "b", "c", "--", "p", "--", "q"}, CONVENTION_SYSTEMD, 3, 30, 40, 90},
    {{"--systemd", "--systemd", "a", "--", "p", "--nginx"}, CONVENTION_SYSTEMD,
	1, 30, 40, 90},
    {{"a", "--nginx", "b", "--", "p"}, CONVENTION_NGINX, 2, 30, 40, 90},
    {{"--inetd", "a", "--", "p"}, CONVENTION_INETD, 1, 30, 40, 90},
    {{"--upstart", "a", "--", "p"}, CONVENTION_UPSTART, 1, 30, 40, 90},
    {{"--einhorn", "a", "--", "p"}, CONVENTION_EINHORN, 1, 30, 40, 90},
    {{"--preload", "a", "--", "p"}, CONVENTION_PRELOAD, 1, 30, 40, 90},
    {{"--timeout", "0", "a", "--", "p"}, CONVENTION_SYSTEMD, 1, 0, 40, 90},
    {{"--timeout=86400", "a", "--", "p"}, CONVENTION_SYSTEMD, 1, 86400, 40, 90},
    {{"--each", "a", "--", "p"}, CONVENTION_INETD, 1, 30, 40, 90},
    {{"--each", "--limit", "7", "a", "--", "p"}, CONVENTION_INETD, 1, 30, 7,
	90},
    {{"--each", "--stop-timeout", "0", "a", "--", "p"}, CONVENTION_INETD, 1, 30,
	40, 0},
    {{"--ucspi", "--each", "a", "--", "p"}, CONVENTION_UCSPI, 1, 30, 40, 90},
    {{"--each", "--systemd", "a", "--", "p"}, CONVENTION_SYSTEMD, 1, 30, 40,
	90},
};

/* Reads a command line like main(). */
static void
read_words(struct cmdline *cmdline, const char *const *words)
{
	static char *argv[WORDS + 2];
	int argc = 1;

	argv[0] = strdup("fdrecv-exec");
	while (words[argc - 1] != NULL) {
		argv[argc] = strdup(words[argc - 1]);
		argc++;
	}
	argv[argc] = NULL;
	cmdline_read(cmdline, argc, argv);
}

static void
read_line(void *argument)
{
	size_t i = (size_t) * (const int *)argument;
	struct cmdline cmdline;

	read_words(&cmdline, lines[i].words);
	unit_must(cmdline.convention == convention_of(lines[i].convention));
	unit_must(cmdline.listener_count == lines[i].listeners);
	unit_must(cmdline.timeout_s == lines[i].timeout_s);
	unit_must(cmdline.limit == lines[i].limit);
	unit_must(cmdline.stop_timeout_s == lines[i].stop_timeout_s);
	unit_must(cmdline.each ==
	    (strcmp(lines[i].words[0], "--each") == 0 ||
		lines[i].convention == CONVENTION_UCSPI));
	unit_must(strcmp(cmdline.program[0], "p") == 0);
	unit_must(cmdline.mailbox == NULL && cmdline.user == NULL);
}

START_TEST(options_come_before_and_among_the_listeners)
{
	unit_in_child(read_line, &_i);
}
END_TEST

static void
read_texts(void *argument)
{
	const char *const words[] = {"-m", "box", "-R/run", "--user=me",
	    "--keep-mailbox", "--fd", "65535", "a", "b", "--", "p", NULL};
	const char *const preload[] = {
	    "--preload=/lib/x.so", "a", "--", "p", NULL};
	struct cmdline cmdline;

	if (*(const int *)argument) {
		read_words(&cmdline, preload);
		unit_must(
		    cmdline.convention == convention_of(CONVENTION_PRELOAD));
		unit_must(strcmp(cmdline.library, "/lib/x.so") == 0);
		return;
	}
	read_words(&cmdline, words);
	unit_must(strcmp(cmdline.mailbox, "box") == 0);
	unit_must(strcmp(cmdline.run_dir, "/run") == 0);
	unit_must(strcmp(cmdline.user, "me") == 0);
	unit_must(cmdline.keep_mailbox && cmdline.first_fd == 65535);
	unit_must(cmdline.convention == convention_of(CONVENTION_FD));
	unit_must(strcmp(cmdline.listeners[0], "a") == 0);
	unit_must(strcmp(cmdline.listeners[1], "b") == 0);
}

START_TEST(texts_and_numbers_go_where_they_belong)
{
	unit_in_child(read_texts, &_i);
}
END_TEST

UNIT_SUITE(cmdline)
{
	TCase *tc = unit_case(suite, "exec_options");

	tcase_add_loop_test(tc, options_come_before_and_among_the_listeners, 0,
	    UNIT_COUNT(lines));
	tcase_add_loop_test(tc, texts_and_numbers_go_where_they_belong, 0, 2);
}
