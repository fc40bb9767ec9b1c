/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: the ways in which programs expect sockets from those who start
 * them.  One table; where the environment names sockets of an earlier loader
 * that are open, the new ones come behind them, so that loaders compose.
 */
#include "exec/form.h"

#include "exec/inherit.h"
#include "exec/options.h"
#include "exec/place.h"
#include "exec/preload.h"
#include "exec/sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORM_FIRST 3 /* of systemd's descriptors */
#define FORM_UCSPI_FIRST 6
#define FORM_PRELOADED 64 /* out of the way of those that a program makes */
#define FORM_SPACE " "
#define FORM_NGINX_ENDS ";:" /* it ignores a number without one */

/* Sets a variable to what it was and the descriptors.  The first of separators
 * is between any two, and behind the last one if each is to have it. */
static int
form_set_list(const struct form_work *work, const char *variable,
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
form_set_number(const char *variable, size_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", value);
	return setenv(variable, text, 1);
}

static void
form_look_systemd(struct form_work *work)
{
	work->earlier = inherit_listen_fds();
	work->list = inherit_listen_names(work->earlier);
}

static int
form_place_systemd(struct form_work *work)
{
	return place_at(
	    work->fds, work->count, FORM_FIRST + (int)work->earlier);
}

/* "unknown" is what systemd's own library calls sockets without a name. */
static int
form_set_names(const struct form_work *work)
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
form_tell_systemd(const struct form_work *work)
{
	if (work->earlier == 0)
		unsetenv("LISTEN_PIDFDID");
	if (form_set_number("LISTEN_FDS", work->earlier + work->count) == -1 ||
	    form_set_number("LISTEN_PID", (size_t)getpid()) == -1)
		return -1;
	return form_set_names(work);
}

static int
form_place_free(struct form_work *work)
{
	return place_free(work->fds, work->count, FORM_FIRST);
}

static void
form_look_upstart(struct form_work *work)
{
	work->list = inherit_list("UPSTART_FDS", FORM_SPACE);
}

static int
form_tell_upstart(const struct form_work *work)
{
	if (form_set_list(work, "UPSTART_FDS", FORM_SPACE, 0) == -1)
		return -1;
	return setenv("UPSTART_EVENTS", "socket", 1);
}

static void
form_look_nginx(struct form_work *work)
{
	work->list = inherit_list("NGINX", FORM_NGINX_ENDS);
}

/* nginx takes them for those of an earlier nginx, which has made them
 * non-blocking, and does not look: of two workers that run for one connection
 * the later one would stay in accept(2), with all clients that it has. */
static int
form_tell_nginx(const struct form_work *work)
{
	for (size_t i = 0; i < work->count; i++) {
		int flags = fcntl(work->fds[i], F_GETFL);

		if (flags == -1 ||
		    fcntl(work->fds[i], F_SETFL, flags | O_NONBLOCK) == -1)
			return -1;
	}
	return form_set_list(work, "NGINX", FORM_NGINX_ENDS, 1);
}

/* One socket, to read from and to write to. */
static int
form_place_pair(struct form_work *work, int first)
{
	int pair[] = {work->fds[0], fcntl(work->fds[0], F_DUPFD_CLOEXEC, 0)};

	return pair[1] == -1 ? -1 : place_at(pair, 2, first);
}

static int
form_place_inetd(struct form_work *work)
{
	return form_place_pair(work, STDIN_FILENO);
}

/* Where UCSPI has the connection in clients, and servers that use their
 * standard input and output for something else. */
static int
form_place_ucspi(struct form_work *work)
{
	return form_place_pair(work, FORM_UCSPI_FIRST);
}

static int
form_place_fd(struct form_work *work)
{
	return place_at(work->fds, work->count, (int)work->options->first);
}

static void
form_look_einhorn(struct form_work *work)
{
	work->earlier = inherit_einhorn();
}

static const char *
form_family(int fd)
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
form_tell_einhorn(const struct form_work *work)
{
	char name[48];

	for (size_t i = 0; i < work->count; i++) {
		snprintf(
		    name, sizeof(name), "EINHORN_FD_%zu", work->earlier + i);
		if (form_set_number(name, (size_t)work->fds[i]) == -1)
			return -1;
		snprintf(name, sizeof(name), "EINHORN_FD_FAMILY_%zu",
		    work->earlier + i);
		if (setenv(name, form_family(work->fds[i]), 1) == -1)
			return -1;
	}
	if (form_set_number("EINHORN_FD_COUNT", work->earlier + work->count) ==
	    -1)
		return -1;
	return form_set_number("EINHORN_MASTER_PID", (size_t)getppid());
}

static void
form_look_preload(struct form_work *work)
{
	if (inherit_is_process("FDRECV_BIND_PID"))
		work->list = inherit_list("FDRECV_BIND_FDS", FORM_SPACE);
}

static int
form_place_preload(struct form_work *work)
{
	return place_free(work->fds, work->count, FORM_PRELOADED);
}

static int
form_tell_preload(const struct form_work *work)
{
	if (form_set_list(work, "FDRECV_BIND_FDS", FORM_SPACE, 0) == -1 ||
	    form_set_number("FDRECV_BIND_PID", (size_t)getpid()) == -1)
		return -1;
	return preload_add(work->options->library);
}

static const struct form form_table[] = {
    [FORM_SYSTEMD] = {"systemd", FORM_LENT | FORM_EACH, form_look_systemd,
	form_place_systemd, form_tell_systemd},
    [FORM_UPSTART] = {"upstart", FORM_LENT, form_look_upstart, form_place_free,
	form_tell_upstart},
    [FORM_NGINX] = {"nginx", FORM_LENT, form_look_nginx, form_place_free,
	form_tell_nginx},
    [FORM_INETD] = {"inetd", FORM_LENT | FORM_EACH, NULL, form_place_inetd,
	NULL},
    [FORM_FD] = {"fd", FORM_LENT | FORM_EACH, NULL, form_place_fd, NULL},
    [FORM_EINHORN] = {"einhorn", FORM_LENT, form_look_einhorn, form_place_free,
	form_tell_einhorn},
    [FORM_PRELOAD] = {"preload", FORM_LENT, form_look_preload,
	form_place_preload, form_tell_preload},
    [FORM_UCSPI] = {"ucspi", FORM_EACH, NULL, form_place_ucspi, NULL},
};

const struct form *
form_of(enum form_id id)
{
	return &form_table[id];
}

int
form_apply(const struct options *options, struct sockets *sockets)
{
	const struct form *form = options->form;
	struct form_work work = {.options = options,
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
