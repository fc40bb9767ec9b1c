/* SPDX-License-Identifier: ISC */
/*
 * The notify protocol of service managers: datagrams with lines NAME=value,
 * some with a descriptor.  Engine, unprivileged, so that the root process does
 * not have to use it.  Characters that are not printable are replaced, so that
 * no name or reason can add a line.
 */
#include "engine/life/notify.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "channel/channel.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTIFY_TEXT_MAX 1024 /* systemd takes 4096 in all */
#define NOTIFY_WAITING_MAX 32768
#define NOTIFY_NAME_SIZE 256 /* systemd's limit */
/* systemd has room for a few hundred sockets.  No event tells that there is
 * room again, because it is not known which of several limits was reached. */
#define NOTIFY_RETRY_US 10000

struct notify_message {
	TAILQ_ENTRY(notify_message) entry;
	int fd; /* to be stored, borrowed; -1: none */
	char text[];
};

static int
notify_connect(struct notify *notify, const char *address)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length =
	    strlen(address) + offsetof(struct sockaddr_un, sun_path);

	errno = EAFNOSUPPORT;
	if ((address[0] != '/' && address[0] != '@') ||
	    text_copy(to.sun_path, sizeof(to.sun_path), address) == -1)
		return -1;
	if (address[0] == '@')
		to.sun_path[0] = '\0';
	notify->fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd != -1 &&
	    connect(notify->fd, (struct sockaddr *)&to, (socklen_t)length) == 0)
		return 0;
	notify->fd = fd_close(notify->fd);
	return -1;
}

void
notify_open(struct notify *notify, const char *address, struct log *log)
{
	*notify = (struct notify){.fd = -1};
	TAILQ_INIT(&notify->queue);
	if (address != NULL && address[0] != '\0' &&
	    notify_connect(notify, address) == -1)
		log_line(log, LOG_WARNING,
		    "service manager at %s: cannot be told anything: %s",
		    address, strerror(errno));
}

static void
notify_drop(struct notify *notify, struct notify_message *message)
{
	TAILQ_REMOVE(&notify->queue, message, entry);
	notify->waiting--;
	free(message);
}

void
notify_close(struct notify *notify)
{
	while (notify->waiting != 0)
		notify_drop(notify, TAILQ_FIRST(&notify->queue));
	timer_done(&notify->retry);
	notify->fd = fd_close(notify->fd);
}

/* True when the message was sent or refused. */
static int
notify_send(const struct notify *notify, const struct notify_message *message)
{
	if (channel_put(notify->fd, message->text, strlen(message->text),
		message->fd) == 0)
		return 1;
	return errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM &&
	    errno != ETOOMANYREFS;
}

/* Sends the messages that wait, as far as there is room. */
static void
notify_flush(void *owner)
{
	struct notify *notify = owner;
	struct notify_message *first;

	while ((first = TAILQ_FIRST(&notify->queue)) != NULL &&
	    notify_send(notify, first))
		notify_drop(notify, first);
	if (first != NULL)
		timer_set(&notify->retry, NOTIFY_RETRY_US);
}

int
notify_start(struct notify *notify, struct event_base *base)
{
	return timer_init(&notify->retry, base, notify_flush, notify);
}

/* Sends lines and then text, with fd (-1: none). */
static void
notify_say(struct notify *notify, const char *lines, const char *text, int fd)
{
	size_t begin = strlen(lines), size = strnlen(text, NOTIFY_TEXT_MAX);
	struct notify_message *message;

	if (notify->fd == -1 || notify->waiting == NOTIFY_WAITING_MAX ||
	    (message = malloc(sizeof(*message) + begin + size + 1)) == NULL)
		return;
	message->fd = fd;
	memcpy(message->text, lines, begin);
	for (size_t i = 0; i < size; i++)
		message->text[begin + i] =
		    text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	message->text[begin + size] = '\0';
	TAILQ_INSERT_TAIL(&notify->queue, message, entry);
	if (notify->waiting++ == 0)
		notify_flush(notify);
}

/* A manager that waits for a reload needs its beginning and the time of that,
 * by which it knows whether this is the reload that it asked for; one that
 * waits for a start ignores the beginning. */
static void
notify_reloaded(struct notify *notify, const char *lines, const char *text)
{
	char now[32];

	snprintf(now, sizeof(now), "%" PRIu64, clock_us());
	notify_say(notify, "RELOADING=1\nMONOTONIC_USEC=", now, -1);
	notify_say(notify, lines, text, -1);
}

void
notify_serving(struct notify *notify, const struct listener_list *listeners)
{
	const struct listener_endpoint *endpoint;
	const struct listener *listener;
	unsigned int count = 0, unbound = 0;
	char status[64], more[32] = "";

	TAILQ_FOREACH (listener, listeners, entry) {
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
			count++;
		TAILQ_FOREACH (endpoint, &listener->unbound, entry)
			unbound++;
	}
	if (unbound > 0)
		snprintf(more, sizeof(more), ", not bound: %u", unbound);
	snprintf(
	    status, sizeof(status), "serving, endpoints: %u%s", count, more);
	notify_reloaded(notify, "READY=1\nSTATUS=", status);
	TAILQ_FOREACH (listener, listeners, entry)
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
			notify_store(notify, endpoint->fd,
			    endpoint->record->socket.name);
}

void
notify_draining(struct notify *notify, const struct listener_list *listeners,
    const struct channel_drain *drain)
{
	const struct listener_endpoint *endpoint;
	const struct listener *listener;

	notify_forget(notify);
	if (drain->stop)
		notify_say(notify, "STOPPING=1", "", -1);
	TAILQ_FOREACH (listener, listeners, entry)
		TAILQ_FOREACH (endpoint, &listener->endpoints, entry)
			if (channel_is_removed(drain, endpoint->number))
				notify_remove(
				    notify, endpoint->record->socket.name);
}

void
notify_reload_failed(struct notify *notify, const char *reason)
{
	notify_reloaded(notify, "READY=1\nSTATUS=reload failed: ", reason);
}

void
notify_watchdog(struct notify *notify)
{
	if (notify->waiting == 0)
		notify_say(notify, "WATCHDOG=1", "", -1);
}

/* FNV-1a.  Names come from the configuration, so nobody searches for two with
 * the same hash. */
static uint64_t
notify_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	while (*text != '\0')
		hash =
		    (hash ^ (unsigned char)*text++) * UINT64_C(0x100000001b3);
	return hash;
}

/* Makes the name of an endpoint one that a descriptor in the store may have:
 * printable, without a colon, not too long.  Different names stay different. */
static void
notify_name(char out_name[NOTIFY_NAME_SIZE], const char *name)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t used = 0;

	for (const char *c = name; *c != '\0'; c++) {
		unsigned char byte = (unsigned char)*c;

		if (used + 3 >= NOTIFY_NAME_SIZE) {
			snprintf(out_name + NOTIFY_NAME_SIZE - 18, 18,
			    "#%016" PRIx64, notify_hash(name));
			return;
		}
		if (byte == ':') {
			out_name[used++] = ',';
		} else if (byte >= ' ' && byte <= '~' &&
		    strchr(",%#", byte) == NULL) {
			out_name[used++] = *c;
		} else {
			out_name[used++] = '%';
			out_name[used++] = digits[byte >> 4];
			out_name[used++] = digits[byte & 15];
		}
	}
	out_name[used] = '\0';
}

void
notify_store(struct notify *notify, int fd, const char *name)
{
	char encoded[NOTIFY_NAME_SIZE];

	notify_name(encoded, name);
	notify_say(notify, "FDSTORE=1\nFDPOLL=0\nFDNAME=", encoded, fd);
}

void
notify_remove(struct notify *notify, const char *name)
{
	char encoded[NOTIFY_NAME_SIZE];

	notify_name(encoded, name);
	notify_say(notify, "FDSTOREREMOVE=1\nFDNAME=", encoded, -1);
}

void
notify_forget(struct notify *notify)
{
	struct notify_message *message, *next;

	for (message = TAILQ_FIRST(&notify->queue); message != NULL;
	     message = next) {
		next = TAILQ_NEXT(message, entry);
		if (message->fd != -1)
			notify_drop(notify, message);
	}
}
