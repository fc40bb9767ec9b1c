/* SPDX-License-Identifier: ISC */
/*
 * A small HTTP file server: libmicrohttpd implements the protocol, the broker
 * provides the connections.  It serves the files of one directory, read-only,
 * and logs each request with the client's own address, which the broker does
 * not hide.  On SIGTERM it leaves politely: no connection is lost.
 *
 * usage: httpd-files MAILBOX DIRECTORY
 */
#include <sys/stat.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <fdrecv.h>
#include <microhttpd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct fdrecv *volatile mailbox;
static volatile sig_atomic_t ending;

static void
on_sigterm(int signal)
{
	(void)signal;
	ending = 1;
	fdrecv_drain(mailbox);
}

static void
log_request(struct MHD_Connection *connection, const char *url, unsigned status)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *peer = info->client_addr;
	char name[INET6_ADDRSTRLEN] = "local";

	if (peer->sa_family == AF_INET)
		inet_ntop(AF_INET,
		    &((const struct sockaddr_in *)(const void *)peer)->sin_addr,
		    name, sizeof(name));
	else if (peer->sa_family == AF_INET6)
		inet_ntop(AF_INET6,
		    &((const struct sockaddr_in6 *)(const void *)peer)
			 ->sin6_addr,
		    name, sizeof(name));
	printf("%s %s %u\n", name, url, status);
	fflush(stdout);
}

/* Opens a regular file in the current directory, but not outside of it. */
static int
open_file(const char *url, struct stat *st)
{
	const char *name = strcmp(url, "/") == 0 ? "index.html" : url + 1;
	int fd;

	if (name[0] == '.' || strchr(name, '/') != NULL)
		return -1;
	fd = open(name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd == -1 || (fstat(fd, st) == 0 && S_ISREG(st->st_mode)))
		return fd;
	close(fd);
	return -1;
}

static enum MHD_Result
on_request(void *argument, struct MHD_Connection *connection, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **state)
{
	static char not_found[] = "not found\n";
	struct MHD_Response *response;
	struct stat st;
	enum MHD_Result result;
	unsigned status = MHD_HTTP_OK;
	int fd;

	(void)argument;
	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return MHD_NO;
	fd = open_file(url, &st);
	if (fd == -1) {
		status = MHD_HTTP_NOT_FOUND;
		response = MHD_create_response_from_buffer(
		    sizeof(not_found) - 1, not_found, MHD_RESPMEM_PERSISTENT);
	} else {
		response =
		    MHD_create_response_from_fd64((uint64_t)st.st_size, fd);
	}
	if (ending)
		MHD_add_response_header(response, "Connection", "close");
	log_request(connection, url, status);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static void
receive_connections(struct MHD_Daemon *daemon)
{
	struct fdrecv_handoff h = FDRECV_HANDOFF_INIT;

	while (fdrecv_next(mailbox, &h) == 1)
		/* MHD owns the connection from here on, and closes it. */
		if (MHD_add_connection(daemon, h.fd,
			(const struct sockaddr *)&h.peer,
			h.peer_length) != MHD_YES)
			warn("connection");
}

static unsigned
connections(struct MHD_Daemon *daemon)
{
	return MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
	    ->num_connections;
}

/* Serves until SIGTERM, and then until the last connection has ended. */
static void
serve(struct MHD_Daemon *daemon)
{
	struct pollfd fds[2] = {
	    {.fd = fdrecv_fd(mailbox), .events = POLLIN}, {.events = POLLIN}};
	MHD_UNSIGNED_LONG_LONG wait;

	fds[1].fd =
	    MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
	for (;;) {
		int timeout =
		    MHD_get_timeout(daemon, &wait) == MHD_YES ? (int)wait : -1;

		if (ending)
			fds[0].fd = -1;
		if (ending && connections(daemon) == 0)
			return;
		if (poll(fds, 2, timeout) == -1 && errno != EINTR)
			err(71, "poll");
		receive_connections(daemon);
		MHD_run(daemon);
	}
}

int
main(int argc, char **argv)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;
	struct MHD_Daemon *daemon;

	if (argc != 3)
		errx(64, "usage: httpd-files MAILBOX DIRECTORY");
	signal(SIGPIPE, SIG_IGN);
	options.flags = FDRECV_NONBLOCK;
	signal(SIGTERM, on_sigterm);
	mailbox = fdrecv_open(argv[1], &options);
	if (mailbox == NULL)
		err(71, "%s", argv[1]);
	if (ending)
		fdrecv_drain(mailbox);
	if (chdir(argv[2]) == -1)
		err(66, "%s", argv[2]);
	daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0,
	    NULL, NULL, on_request, NULL, MHD_OPTION_CONNECTION_TIMEOUT, 10u,
	    MHD_OPTION_END);
	if (daemon == NULL)
		errx(71, "libmicrohttpd does not start");
	serve(daemon);
	MHD_stop_daemon(daemon);
	signal(SIGTERM, SIG_IGN);
	fdrecv_close(mailbox);
	return 0;
}
