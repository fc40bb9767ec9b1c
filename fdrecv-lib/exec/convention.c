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
#include "exec/socket_set.h"

#include "wire/names.h"

#include <sys/socket.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONVENTION_UCSPI_FIRST 6
/* Above the numbers that a program's own descriptors get. */
#define CONVENTION_PRELOAD_LOWEST 64
#define CONVENTION_SPACE " "
#define CONVENTION_NGINX_ENDS ";:" /* nginx ignores a number without one */

/* Sets a variable to what was written to an open_memstream(3), which it closes
 * and frees.  0, or -1 with errno. */
static int
convention_set_stream(const char *variable, FILE *stream, char **text)
{
	int result = fclose(stream) == 0 ? setenv(variable, *text, 1) : -1;

	free(*text);
	return result;
}

/* Sets a variable to its earlier value and the new descriptors.  separators[0]
 * is put between two of them, and also behind the last one if ends is 1. */
static int
convention_set_list(const struct convention_work *work, const char *variable,
    const char *separators, int ends)
{
	const char *earlier = work->earlier_list;
	size_t size, length = strlen(earlier);
	char *text = NULL;
	FILE *stream = open_memstream(&text, &size);

	if (stream == NULL)
		return -1;
	fputs(earlier, stream);
	if (length > 0 && strchr(separators, earlier[length - 1]) == NULL)
		fputc(separators[0], stream);
	for (size_t i = 0; i < work->count; i++) {
		fprintf(stream, "%d", work->fds[i]);
		if (ends || i + 1 < work->count)
			fputc(separators[0], stream);
	}
	return convention_set_stream(variable, stream, &text);
}

static int
convention_place_free(struct convention_work *work)
{
	return fd_layout_free(work->fds, work->count, FD_LAYOUT_FIRST);
}

static void
convention_find_systemd(struct convention_work *work)
{
	work->earlier_count = env_listen_fds();
	work->earlier_list = env_listen_names(work->earlier_count);
}

static int
convention_place_systemd(struct convention_work *work)
{
	return fd_layout_at(
	    work->fds, work->count, FD_LAYOUT_FIRST + (int)work->earlier_count);
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
		    socket_set_name(work->sockets, i));
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

static void
convention_find_upstart(struct convention_work *work)
{
	work->earlier_list = env_fd_list("UPSTART_FDS", CONVENTION_SPACE);
}

static int
convention_announce_upstart(const struct convention_work *work)
{
	if (convention_set_list(work, "UPSTART_FDS", CONVENTION_SPACE, 0) == -1)
		return -1;
	return setenv("UPSTART_EVENTS", "socket", 1);
}

static void
convention_find_nginx(struct convention_work *work)
{
	work->earlier_list = env_fd_list("NGINX", CONVENTION_NGINX_ENDS);
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
	return convention_set_list(work, "NGINX", CONVENTION_NGINX_ENDS, 1);
}

/* Places one socket twice, to read from and to write to. */
static int
convention_place_pair(struct convention_work *work, int first)
{
	int pair[] = {work->fds[0], fcntl(work->fds[0], F_DUPFD_CLOEXEC, 0)};

	return pair[1] == -1 ? -1 : fd_layout_at(pair, 2, first);
}

static int
convention_place_inetd(struct convention_work *work)
{
	return convention_place_pair(work, STDIN_FILENO);
}

/* UCSPI clients, and servers that need their standard input and output, have
 * the connection there. */
static int
convention_place_ucspi(struct convention_work *work)
{
	return convention_place_pair(work, CONVENTION_UCSPI_FIRST);
}

static int
convention_place_fd(struct convention_work *work)
{
	return fd_layout_at(
	    work->fds, work->count, (int)work->cmdline->first_fd);
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
	switch (address.ss_family) {
	case AF_INET:
		return "AF_INET";
	case AF_INET6:
		return "AF_INET6";
	default:
		return "AF_UNIX";
	}
}

/* Einhorn's clients check that their parent is the master. */
static int
convention_announce_einhorn(const struct convention_work *work)
{
	size_t total = work->earlier_count + work->count;
	char name[48];

	for (size_t i = 0; i < work->count; i++) {
		size_t number = work->earlier_count + i;

		snprintf(name, sizeof(name), "EINHORN_FD_%zu", number);
		if (env_set_number(name, work->fds[i]) == -1)
			return -1;
		snprintf(name, sizeof(name), "EINHORN_FD_FAMILY_%zu", number);
		if (setenv(name, convention_family(work->fds[i]), 1) == -1)
			return -1;
	}
	if (env_set_number("EINHORN_FD_COUNT", (long long)total) == -1)
		return -1;
	return env_set_number("EINHORN_MASTER_PID", getppid());
}

static void
convention_find_preload(struct convention_work *work)
{
	if (env_is_this_process(FDRECV_WIRE_ENV_BIND_PID))
		work->earlier_list =
		    env_fd_list(FDRECV_WIRE_ENV_BIND_FDS, CONVENTION_SPACE);
}

static int
convention_place_preload(struct convention_work *work)
{
	return fd_layout_free(
	    work->fds, work->count, CONVENTION_PRELOAD_LOWEST);
}

static int
convention_announce_preload(const struct convention_work *work)
{
	if (convention_set_list(
		work, FDRECV_WIRE_ENV_BIND_FDS, CONVENTION_SPACE, 0) == -1 ||
	    env_set_number(FDRECV_WIRE_ENV_BIND_PID, getpid()) == -1)
		return -1;
	return preload_add(work->cmdline->library);
}

static const struct convention convention_table[] = {
    [CONVENTION_SYSTEMD] = {"systemd", CONVENTION_LENT | CONVENTION_EACH,
	convention_find_systemd, convention_place_systemd,
	convention_announce_systemd},
    [CONVENTION_UPSTART] = {"upstart", CONVENTION_LENT, convention_find_upstart,
	convention_place_free, convention_announce_upstart},
    [CONVENTION_NGINX] = {"nginx", CONVENTION_LENT, convention_find_nginx,
	convention_place_free, convention_announce_nginx},
    [CONVENTION_INETD] = {"inetd", CONVENTION_LENT | CONVENTION_EACH, NULL,
	convention_place_inetd, NULL},
    [CONVENTION_FD] = {"fd", CONVENTION_LENT | CONVENTION_EACH, NULL,
	convention_place_fd, NULL},
    [CONVENTION_EINHORN] = {"einhorn", CONVENTION_LENT, convention_find_einhorn,
	convention_place_free, convention_announce_einhorn},
    [CONVENTION_PRELOAD] = {"preload", CONVENTION_LENT, convention_find_preload,
	convention_place_preload, convention_announce_preload},
    [CONVENTION_UCSPI] = {"ucspi", CONVENTION_EACH, NULL,
	convention_place_ucspi, NULL},
};

const struct convention *
convention_of(enum convention_id id)
{
	return &convention_table[id];
}

int
convention_apply(const struct cmdline *cmdline, struct socket_set *sockets)
{
	const struct convention *convention = cmdline->convention;
	struct convention_work work = {.cmdline = cmdline,
	    .sockets = sockets,
	    .count = sockets->count,
	    .earlier_list = ""};
	int result;

	socket_set_sort(sockets);
	work.fds = calloc(work.count, sizeof(*work.fds));
	if (work.fds == NULL)
		return -1;
	for (size_t i = 0; i < work.count; i++) {
		work.fds[i] = sockets->items[i].fd;
		sockets->items[i].fd = -1;
	}
	if (convention->find_earlier != NULL)
		convention->find_earlier(&work);
	result = convention->place(&work);
	if (result == 0 && convention->announce != NULL)
		result = convention->announce(&work);
	free(work.fds);
	return result;
}
