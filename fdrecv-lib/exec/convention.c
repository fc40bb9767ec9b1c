/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the ways in which programs expect sockets from those who start
 * them.  One table; where the environment names sockets of an earlier loader
 * that are open, the new ones come behind them, so that loaders compose.
 */
#include "exec/convention.h"

#include "exec/cmdline.h"
#include "exec/fd_layout.h"
#include "exec/inherit.h"
#include "exec/preload.h"
#include "exec/sockets.h"

#include "wire/names.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONVENTION_FIRST 3 /* of systemd's descriptors */
#define CONVENTION_UCSPI_FIRST 6
#define CONVENTION_PRELOADED \
	64 /* out of the way of those that a program makes */
#define CONVENTION_SPACE " "
#define CONVENTION_NGINX_ENDS ";:" /* it ignores a number without one */

/* Sets a variable to what it was and the descriptors.  The first of separators
 * is between any two, and behind the last one if each is to have it. */
static int
convention_set_list(const struct convention_work *work, const char *variable,
    const char *separators, int has_last)
{
	size_t size, length = strlen(work->list);
	char *text = NULL;
	FILE *stream = open_memstream(&text, &size);
	int result = -1;

	if (stream == NULL)
		return -1;
	fputs(work->list, stream);
	if (length > 0 && strchr(separators, work->list[length - 1]) == NULL)
		fputc(separators[0], stream);
	for (size_t i = 0; i < work->count; i++) {
		fprintf(stream, "%d", work->fds[i]);
		if (has_last || i + 1 < work->count)
			fputc(separators[0], stream);
	}
	if (fclose(stream) == 0)
		result = setenv(variable, text, 1);
	free(text);
	return result;
}

static int
convention_set_number(const char *variable, size_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", value);
	return setenv(variable, text, 1);
}

static void
convention_look_systemd(struct convention_work *work)
{
	work->earlier = inherit_listen_fds();
	work->list = inherit_listen_names(work->earlier);
}

static int
convention_place_systemd(struct convention_work *work)
{
	return fd_layout_at(
	    work->fds, work->count, CONVENTION_FIRST + (int)work->earlier);
}

/* "unknown" is what systemd's own library calls sockets without a name. */
static int
convention_set_names(const struct convention_work *work)
{
	char *text = NULL;
	size_t size;
	FILE *stream = open_memstream(&text, &size);
	int result = -1;

	if (stream == NULL)
		return -1;
	if (work->list != NULL)
		fputs(work->list, stream);
	for (size_t i = 0; work->list == NULL && i < work->earlier; i++)
		fprintf(stream, "%sunknown", i == 0 ? "" : ":");
	for (size_t i = 0; i < work->count; i++)
		fprintf(stream, "%s%s", i + work->earlier == 0 ? "" : ":",
		    work->sockets->names[work->sockets->items[i].listener]);
	if (fclose(stream) == 0)
		result = setenv("LISTEN_FDNAMES", text, 1);
	free(text);
	return result;
}

/* LISTEN_PIDFDID is of the process that LISTEN_PID names, if it is there. */
static int
convention_tell_systemd(const struct convention_work *work)
{
	if (work->earlier == 0)
		unsetenv("LISTEN_PIDFDID");
	if (convention_set_number("LISTEN_FDS", work->earlier + work->count) ==
		-1 ||
	    convention_set_number("LISTEN_PID", (size_t)getpid()) == -1)
		return -1;
	return convention_set_names(work);
}

static int
convention_place_free(struct convention_work *work)
{
	return fd_layout_free(work->fds, work->count, CONVENTION_FIRST);
}

static void
convention_look_upstart(struct convention_work *work)
{
	work->list = inherit_list("UPSTART_FDS", CONVENTION_SPACE);
}

static int
convention_tell_upstart(const struct convention_work *work)
{
	if (convention_set_list(work, "UPSTART_FDS", CONVENTION_SPACE, 0) == -1)
		return -1;
	return setenv("UPSTART_EVENTS", "socket", 1);
}

static void
convention_look_nginx(struct convention_work *work)
{
	work->list = inherit_list("NGINX", CONVENTION_NGINX_ENDS);
}

/* nginx takes them for those of an earlier nginx, which has made them
 * non-blocking, and does not look: of two workers that run for one connection
 * the later one would stay in accept(2), with all clients that it has. */
static int
convention_tell_nginx(const struct convention_work *work)
{
	for (size_t i = 0; i < work->count; i++) {
		int flags = fcntl(work->fds[i], F_GETFL);

		if (flags == -1 ||
		    fcntl(work->fds[i], F_SETFL, flags | O_NONBLOCK) == -1)
			return -1;
	}
	return convention_set_list(work, "NGINX", CONVENTION_NGINX_ENDS, 1);
}

/* One socket, to read from and to write to. */
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

/* Where UCSPI has the connection in clients, and servers that use their
 * standard input and output for something else. */
static int
convention_place_ucspi(struct convention_work *work)
{
	return convention_place_pair(work, CONVENTION_UCSPI_FIRST);
}

static int
convention_place_fd(struct convention_work *work)
{
	return fd_layout_at(work->fds, work->count, (int)work->options->first);
}

static void
convention_look_einhorn(struct convention_work *work)
{
	work->earlier = inherit_einhorn();
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

/* Its clients ask whether their parent is the master. */
static int
convention_tell_einhorn(const struct convention_work *work)
{
	char name[48];

	for (size_t i = 0; i < work->count; i++) {
		snprintf(
		    name, sizeof(name), "EINHORN_FD_%zu", work->earlier + i);
		if (convention_set_number(name, (size_t)work->fds[i]) == -1)
			return -1;
		snprintf(name, sizeof(name), "EINHORN_FD_FAMILY_%zu",
		    work->earlier + i);
		if (setenv(name, convention_family(work->fds[i]), 1) == -1)
			return -1;
	}
	if (convention_set_number(
		"EINHORN_FD_COUNT", work->earlier + work->count) == -1)
		return -1;
	return convention_set_number("EINHORN_MASTER_PID", (size_t)getppid());
}

static void
convention_look_preload(struct convention_work *work)
{
	if (inherit_is_process(FDRECV_WIRE_ENV_BIND_PID))
		work->list =
		    inherit_list(FDRECV_WIRE_ENV_BIND_FDS, CONVENTION_SPACE);
}

static int
convention_place_preload(struct convention_work *work)
{
	return fd_layout_free(work->fds, work->count, CONVENTION_PRELOADED);
}

static int
convention_tell_preload(const struct convention_work *work)
{
	if (convention_set_list(
		work, FDRECV_WIRE_ENV_BIND_FDS, CONVENTION_SPACE, 0) == -1 ||
	    convention_set_number(FDRECV_WIRE_ENV_BIND_PID, (size_t)getpid()) ==
		-1)
		return -1;
	return preload_add(work->options->library);
}

static const struct convention convention_table[] = {
    [CONVENTION_SYSTEMD] = {"systemd", CONVENTION_LENT | CONVENTION_EACH,
	convention_look_systemd, convention_place_systemd,
	convention_tell_systemd},
    [CONVENTION_UPSTART] = {"upstart", CONVENTION_LENT, convention_look_upstart,
	convention_place_free, convention_tell_upstart},
    [CONVENTION_NGINX] = {"nginx", CONVENTION_LENT, convention_look_nginx,
	convention_place_free, convention_tell_nginx},
    [CONVENTION_INETD] = {"inetd", CONVENTION_LENT | CONVENTION_EACH, NULL,
	convention_place_inetd, NULL},
    [CONVENTION_FD] = {"fd", CONVENTION_LENT | CONVENTION_EACH, NULL,
	convention_place_fd, NULL},
    [CONVENTION_EINHORN] = {"einhorn", CONVENTION_LENT, convention_look_einhorn,
	convention_place_free, convention_tell_einhorn},
    [CONVENTION_PRELOAD] = {"preload", CONVENTION_LENT, convention_look_preload,
	convention_place_preload, convention_tell_preload},
    [CONVENTION_UCSPI] = {"ucspi", CONVENTION_EACH, NULL,
	convention_place_ucspi, NULL},
};

const struct convention *
convention_of(enum convention_id id)
{
	return &convention_table[id];
}

int
convention_apply(const struct cmdline *options, struct sockets *sockets)
{
	const struct convention *form = options->form;
	struct convention_work work = {.options = options,
	    .sockets = sockets,
	    .count = sockets->count,
	    .list = ""};
	int result = -1;

	sockets_sort(sockets);
	work.fds = calloc(work.count, sizeof(*work.fds));
	if (work.fds == NULL)
		return -1;
	for (size_t i = 0; i < work.count; i++)
		work.fds[i] = sockets->items[i].fd;
	if (form->look != NULL)
		form->look(&work);
	if (form->place(&work) == 0)
		result = form->tell == NULL ? 0 : form->tell(&work);
	for (size_t i = 0; i < work.count; i++)
		sockets->items[i].fd = -1;
	free(work.fds);
	return result;
}
