/* SPDX-License-Identifier: ISC */
/*
 * The notify protocol of service managers: datagrams with lines NAME=value,
 * some with a descriptor.  Engine, unprivileged, so that the process that is
 * root need not speak it.  Text from elsewhere is made printable, which keeps
 * it from bringing lines of its own.
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
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTIFY_TEXT_MAX 1024 /* systemd takes 4096 in all */
#define NOTIFY_WAITING_MAX 32768
#define NOTIFY_NAME_SIZE 256 /* systemd's limit */

struct notify_message {
	TAILQ_ENTRY(notify_message) entry;
	int fd; /* to be stored, borrowed; -1: none */
	char text[];
};

int
notify_open(struct notify *notify, const char *address)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t length = address == NULL ? 0 : strlen(address);

	*notify = (struct notify){.fd = -1};
	TAILQ_INIT(&notify->queue);
	if (length == 0)
		return 0;
	errno = EAFNOSUPPORT;
	if ((address[0] != '/' && address[0] != '@') ||
	    text_copy(to.sun_path, sizeof(to.sun_path), address) == -1)
		return -1;
	if (address[0] == '@')
		to.sun_path[0] = '\0';
	notify->fd =
	    socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	length += offsetof(struct sockaddr_un, sun_path);
	if (notify->fd != -1 &&
	    connect(notify->fd, (struct sockaddr *)&to, (socklen_t)length) == 0)
		return 0;
	notify->fd = fd_close(notify->fd);
	return -1;
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
	notify->fd = fd_close(notify->fd);
}

/* True when there is nothing more to be done about it. */
static int
notify_send(const struct notify *notify, struct notify_message *message)
{
	if (channel_put(notify->fd, message->text, strlen(message->text),
		message->fd) == 0)
		return 1;
	return errno != EAGAIN && errno != ENOBUFS && errno != ENOMEM &&
	    errno != ETOOMANYREFS;
}

int
notify_flush(struct notify *notify)
{
	struct notify_message *first;

	while ((first = TAILQ_FIRST(&notify->queue)) != NULL &&
	    notify_send(notify, first))
		notify_drop(notify, first);
	return first != NULL;
}

/* Says lines, and then text from elsewhere, with fd (-1: none). */
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
	notify->waiting++;
	if (notify_flush(notify) && notify->on_wait != NULL)
		notify->on_wait(notify->argument);
}

void
notify_ready(struct notify *notify, const char *status)
{
	notify_say(notify, "READY=1\nSTATUS=", status, -1);
}

/* The manager wants to hear of the beginning too, and of its time, by which it
 * knows whether this is the reload that it asked for. */
static void
notify_reloading(struct notify *notify)
{
	char now[32];

	snprintf(now, sizeof(now), "%" PRIu64, clock_us());
	notify_say(notify, "RELOADING=1\nMONOTONIC_USEC=", now, -1);
}

void
notify_reloaded(struct notify *notify, const char *status)
{
	notify_reloading(notify);
	notify_ready(notify, status);
}

void
notify_reload_failed(struct notify *notify, const char *why)
{
	notify_reloading(notify);
	notify_say(notify, "READY=1\nSTATUS=reload failed: ", why, -1);
}

void
notify_stopping(struct notify *notify)
{
	notify_say(notify, "STOPPING=1", "", -1);
}

void
notify_watchdog(struct notify *notify)
{
	if (!notify_flush(notify))
		notify_say(notify, "WATCHDOG=1", "", -1);
}

void
notify_status(struct notify *notify, const char *status)
{
	notify_say(notify, "STATUS=", status, -1);
}

/* FNV-1a.  Names come from the configuration, so nobody looks for two that
 * have the same. */
static uint64_t
notify_hash(const char *text)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	while (*text != '\0')
		hash =
		    (hash ^ (unsigned char)*text++) * UINT64_C(0x100000001b3);
	return hash;
}

/* The name of an endpoint as one that a descriptor may have: printable, no
 * colon, not too long.  Two names stay two. */
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
		} else if (byte >= ' ' && byte <= '~' && byte != ',' &&
		    byte != '%' && byte != '#') {
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
