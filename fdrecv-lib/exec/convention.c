/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the ways in which programs expect sockets from their parent.
 * One table.  If an earlier loader has handed out sockets in the same way, the
 * new ones follow them, so that loaders can be chained.
 */
#include "exec/convention.h"

#include "exec/cmdline.h"
#include "exec/env.h"
#include "exec/fd_layout.h"
#include "exec/preload.h"
#include "exec/program.h"
#include "exec/socket_set.h"

#include "wire/names.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The sockets to hand out, and those of an earlier loader. */
struct convention_work {
	const struct cmdline *cmdline;
	const struct socket_set *sockets;
	int *fds; /* of sockets, in their order */
	size_t count;
	size_t earlier_count;
	const char *earlier_list; /* in the environment, or "" */
};

/* Sets a variable to what was written to an open_memstream(3), which it closes
 * and frees.  0, or -1 with errno. */
static int
convention_set_stream(const char *variable, FILE *stream, char **text)
{
	int result = -1;

	/* fclose(3) can succeed without memory for the text. */
	errno = ENOMEM;
	if (fclose(stream) == 0 && *text != NULL)
		result = setenv(variable, *text, 1);
	free(*text);
	return result;
}

/* Appends the descriptors to the list in the environment. */
static int
convention_set_list(
    const struct convention *convention, const struct convention_work *work)
{
	const char *earlier = work->earlier_list;
	char separator = convention->separators[0];
	size_t size, length = strlen(earlier);
	char *text = NULL;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return -1;
	fputs(earlier, stream);
	if (length > 0 &&
	    strchr(convention->separators, earlier[length - 1]) == NULL)
		fputc(separator, stream);
	for (size_t i = 0; i < work->count; i++) {
		fprintf(stream, "%d", work->fds[i]);
		if (convention->ends || i + 1 < work->count)
			fputc(separator, stream);
	}
	return convention_set_stream(convention->variable, stream, &text);
}

static void
convention_find_systemd(struct convention_work *work)
{
	work->earlier_count = env_listen_fds();
	work->earlier_list = env_listen_names(work->earlier_count);
}

/* systemd's own library calls sockets without a name "unknown". */
static int
convention_set_names(const struct convention_work *work)
{
	const char *earlier = work->earlier_list;
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return -1;
	if (earlier != NULL)
		fputs(earlier, stream);
	for (size_t i = 0; earlier == NULL && i < work->earlier_count; i++)
		fprintf(stream, "%sunknown", i == 0 ? "" : ":");
	for (size_t i = 0; i < work->count; i++)
		fprintf(stream, "%s%s", i + work->earlier_count == 0 ? "" : ":",
		    work->sockets->items[i].listener->name);
	return convention_set_stream("LISTEN_FDNAMES", stream, &text);
}

/* LISTEN_PIDFDID describes the process of LISTEN_PID, which is this one if it
 * has earlier sockets. */
static int
convention_announce_systemd(const struct convention_work *work)
{
	if (work->earlier_count == 0)
		unsetenv("LISTEN_PIDFDID");
	if (env_set_number("LISTEN_FDS",
		(long long)(work->earlier_count + work->count)) == -1 ||
	    env_set_number("LISTEN_PID", getpid()) == -1)
		return -1;
	return convention_set_names(work);
}

static int
convention_announce_upstart(const struct convention_work *work)
{
	(void)work;
	return setenv("UPSTART_EVENTS", "socket", 1);
}

static void
convention_find_einhorn(struct convention_work *work)
{
	work->earlier_count = env_einhorn_fds();
}

static const char *
convention_family(int fd)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &length) == -1)
		return "AF_UNSPEC";
	return address.ss_family == AF_INET ? "AF_INET" :
	    address.ss_family == AF_INET6   ? "AF_INET6" :
					      "AF_UNIX";
}

/* Einhorn's clients check that their parent is the master. */
static int
convention_announce_einhorn(const struct convention_work *work)
{
	size_t number = work->earlier_count;
	char name[48];

	for (size_t i = 0; i < work->count; i++, number++) {
		snprintf(name, sizeof(name), "EINHORN_FD_%zu", number);
		if (env_set_number(name, work->fds[i]) == -1)
			return -1;
		snprintf(name, sizeof(name), "EINHORN_FD_FAMILY_%zu", number);
		if (setenv(name, convention_family(work->fds[i]), 1) == -1)
			return -1;
	}
	if (env_set_number("EINHORN_FD_COUNT", (long long)number) == -1)
		return -1;
	return env_set_number("EINHORN_MASTER_PID", getppid());
}

/* The list may be that of a parent. */
static void
convention_find_preload(struct convention_work *work)
{
	if (!env_is_this_process(FDRECV_WIRE_ENV_BIND_PID))
		work->earlier_list = "";
}

static int
convention_announce_preload(const struct convention_work *work)
{
	if (env_set_number(FDRECV_WIRE_ENV_BIND_PID, getpid()) == -1)
		return -1;
	return preload_add(work->cmdline->library);
}

static int convention_hand_out(
    const struct convention *convention, struct convention_work *work);

/* With "reuseport" nginx binds its addresses once more for each further worker
 * process.  The shim gives it duplicates, and under numbers of their own they
 * last when nginx closes those that it was given. */
static int
convention_preload_nginx(const struct convention_work *work)
{
	struct convention_work copy = *work;
	char path[PROGRAM_PATH_SIZE];
	const char *reason;
	int result = -1;

	program_find(work->cmdline->program[0], path);
	reason = access(work->cmdline->library, R_OK) == -1 ?
	    "the library cannot be read" :
	    preload_reason_against(path);
	if (reason != NULL) {
		warnx("--nginx: %s is not loaded: %s: \"reuseport\" will not "
		      "work: expected \"listen\" without it",
		    work->cmdline->library, reason);
		return 0;
	}
	copy.fds = calloc(work->count, sizeof(*copy.fds));
	if (copy.fds == NULL)
		return -1;
	for (size_t i = 0; i < copy.count; i++) {
		copy.fds[i] = fcntl(work->fds[i], F_DUPFD_CLOEXEC, 0);
		if (copy.fds[i] == -1)
			goto out;
	}
	result = convention_hand_out(convention_of(CONVENTION_PRELOAD), &copy);
out:
	free(copy.fds);
	return result;
}

/* nginx assumes that an earlier nginx has made them non-blocking.  If two of
 * its workers are woken for one connection, the later one would otherwise
 * block in accept(2), and with it all of its clients. */
static int
convention_announce_nginx(const struct convention_work *work)
{
	for (size_t i = 0; i < work->count; i++) {
		int flags = fcntl(work->fds[i], F_GETFL);

		if (flags == -1 ||
		    fcntl(work->fds[i], F_SETFL, flags | O_NONBLOCK) == -1)
			return -1;
	}
	return convention_preload_nginx(work);
}

/* A preloaded program gets its own descriptors below 64.  UCSPI has the
 * connection at 6 and 7 in clients, and in servers that need their standard
 * input and output.  nginx ignores a number without a separator. */
static const struct convention convention_table[] = {
    [CONVENTION_SYSTEMD] = {"systemd", CONVENTION_LENT | CONVENTION_EACH,
	CONVENTION_AT, FD_LAYOUT_FIRST, .find_earlier = convention_find_systemd,
	.announce = convention_announce_systemd},
    [CONVENTION_UPSTART] = {"upstart", CONVENTION_LENT, CONVENTION_FREE,
	FD_LAYOUT_FIRST, "UPSTART_FDS", " ",
	.announce = convention_announce_upstart},
    [CONVENTION_NGINX] = {"nginx", CONVENTION_LENT, CONVENTION_FREE,
	FD_LAYOUT_FIRST, "NGINX", ";:", 1,
	.announce = convention_announce_nginx},
    [CONVENTION_INETD] = {"inetd", CONVENTION_LENT | CONVENTION_EACH,
	CONVENTION_PAIR, .first = STDIN_FILENO},
    [CONVENTION_FD] = {"fd", CONVENTION_LENT | CONVENTION_EACH,
	.place = CONVENTION_AT},
    [CONVENTION_EINHORN] = {"einhorn", CONVENTION_LENT, CONVENTION_FREE,
	FD_LAYOUT_FIRST, .find_earlier = convention_find_einhorn,
	.announce = convention_announce_einhorn},
    [CONVENTION_PRELOAD] = {"preload", CONVENTION_LENT, CONVENTION_FREE, 64,
	FDRECV_WIRE_ENV_BIND_FDS, " ", .find_earlier = convention_find_preload,
	.announce = convention_announce_preload},
    [CONVENTION_UCSPI] = {"ucspi", CONVENTION_EACH, CONVENTION_PAIR,
	.first = 6},
};

const struct convention *
convention_of(enum convention_id id)
{
	return &convention_table[id];
}

static int
convention_place(
    const struct convention *convention, struct convention_work *work)
{
	int first = convention == convention_of(CONVENTION_FD) ?
	    (int)work->cmdline->first_fd :
	    convention->first;
	int pair[] = {work->fds[0], -1};

	switch (convention->place) {
	case CONVENTION_AT:
		return fd_layout_at(
		    work->fds, work->count, first + (int)work->earlier_count);
	case CONVENTION_FREE:
		return fd_layout_free(work->fds, work->count, first);
	case CONVENTION_PAIR:
		pair[1] = fcntl(pair[0], F_DUPFD_CLOEXEC, 0);
		return pair[1] == -1 ? -1 : fd_layout_at(pair, 2, first);
	}
	return -1;
}

static int
convention_hand_out(
    const struct convention *convention, struct convention_work *work)
{
	const char *variable = convention->variable;

	work->earlier_list = variable == NULL ?
	    "" :
	    env_fd_list(variable, convention->separators);
	if (convention->find_earlier != NULL)
		convention->find_earlier(work);
	if (convention_place(convention, work) == -1 ||
	    (variable != NULL && convention_set_list(convention, work) == -1))
		return -1;
	return convention->announce == NULL ? 0 : convention->announce(work);
}

int
convention_apply(const struct cmdline *cmdline, struct socket_set *sockets)
{
	struct convention_work work = {
	    .cmdline = cmdline, .sockets = sockets, .count = sockets->count};
	int result;

	socket_set_sort(sockets);
	work.fds = calloc(work.count, sizeof(*work.fds));
	if (work.fds == NULL)
		return -1;
	for (size_t i = 0; i < work.count; i++) {
		work.fds[i] = sockets->items[i].fd;
		sockets->items[i].fd = -1;
	}
	result = convention_hand_out(cmdline->convention, &work);
	free(work.fds);
	return result;
}
