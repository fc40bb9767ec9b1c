/* SPDX-License-Identifier: ISC */
/*
 * The service of the tests' workers: a greeting, or an answer that names the
 * request and its worker, with a journal of the connections that arrived and of
 * the requests that were taken and answered.
 */
#include "service.h"

#include "tool.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SERVICE_ID_LENGTH 16

int
service_options(
    struct service *service, int argc, char **argv, const char *operand)
{
	static const struct option options[] = {{"greet", 0, NULL, 'g'},
	    {"id", 0, NULL, 'i'}, {"journal", 1, NULL, 'j'},
	    {"slow", 1, NULL, 's'}, {"ready-fd", 1, NULL, 'r'},
	    {"early", 0, NULL, 'e'}, {NULL, 0, NULL, 0}};
	int bad = 0, option;

	*service = (struct service){.journal = -1, .ready = STDOUT_FILENO};
	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (option == 'i')
			service->reads_id = 1;
		else if (option == 'e')
			service->early = 1;
		else if (option == 's')
			service->us =
			    (unsigned int)tool_number(optarg, 0, 60000) * 1000;
		else if (option == 'r')
			service->ready = (int)tool_number(optarg, 0, 1048576);
		else if (option == 'j')
			service->journal = open(optarg,
			    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
		if (option == 'j' && service->journal == -1)
			err(71, "%s", optarg);
		bad |= option == '?';
	}
	if (bad || optind + 1 != argc)
		errx(64,
		    "usage: %s [--greet | --id] [--journal FILE] [--slow "
		    "MS] [--early] [--ready-fd N] %s",
		    argv[0], operand);
	service_begin(service);
	return optind;
}

void
service_begin(struct service *service)
{
	service->pid = getpid();
	service->sequence = 0;
}

/* One write(2) for each line, so that no line is torn when a process dies. */
static void
service_log(const struct service *service, const char *id, const char *step)
{
	char line[96];
	int length;

	if (service->journal == -1)
		return;
	length = snprintf(line, sizeof(line), "%.*s %s %d %llu\n",
	    SERVICE_ID_LENGTH, id, step, (int)service->pid,
	    (unsigned long long)service->sequence);
	if (write(service->journal, line, (size_t)length) != length)
		err(71, "the journal");
}

/* Logs a connection before anything is done with it.  The kernel's number of a
 * socket is the same in all processes that get it, and is not used again. */
static void
service_log_arrival(const struct service *service, int fd)
{
	char id[SERVICE_ID_LENGTH + 1];
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	if (service->journal == -1)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length) == -1)
		err(71, "SO_COOKIE");
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)cookie);
	service_log(service, id, "got");
}

/* Logs a complete request before it is read, so that a worker that dies after
 * reading it has logged it.  True if it was logged. */
static int
service_log_early(const struct service *service, int fd)
{
	char request[128];
	ssize_t n;

	if (service->journal == -1)
		return 0;
	n = recv(fd, request, sizeof(request) - 1, MSG_PEEK);
	if (n <= SERVICE_ID_LENGTH || memchr(request, '\n', (size_t)n) == NULL)
		return 0;
	service_log(service, request, "took");
	return 1;
}

/* Reads a line without its end.  0, or -1 if none arrives. */
static int
service_read_line(int fd, char *out_text, size_t room)
{
	size_t length = 0;
	char *end;
	ssize_t n;

	while (length + 1 < room) {
		n = recv(fd, out_text + length, room - 1 - length, 0);
		if (n == -1 && errno == EAGAIN)
			errx(3, "a descriptor that does not block");
		if (n <= 0)
			return -1;
		length += (size_t)n;
		out_text[length] = '\0';
		end = strchr(out_text, '\n');
		if (end != NULL) {
			*end = '\0';
			return 0;
		}
	}
	return -1;
}

void
service_answer(struct service *service, int fd)
{
	char request[128], answer[256];
	char *end;
	int length, logged;

	service->sequence++;
	service_log_arrival(service, fd);
	if (!service->reads_id) {
		send(fd, "hello, world\n", 13, MSG_NOSIGNAL);
		return;
	}
	logged = service_log_early(service, fd);
	if (service_read_line(fd, request, sizeof(request)) == -1)
		return;
	if (!logged)
		service_log(service, request, "took");
	end = strstr(request, " SLOW");
	if (end != NULL) {
		*end = '\0';
		usleep(service->us);
	}
	length = snprintf(answer, sizeof(answer), "%s %d %llu\n", request,
	    (int)service->pid, (unsigned long long)service->sequence);
	if (send(fd, answer, (size_t)length, MSG_NOSIGNAL) == length)
		service_log(service, request, "answered");
}
