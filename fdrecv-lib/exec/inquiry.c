/* SPDX-License-Identifier: ISC */
/*
 * fdrecv-exec: asks the broker what a listener is.  The mailbox directory does
 * not tell: it stays when the listener leaves the configuration.  An engine
 * that is being replaced does not answer, and the next one has another
 * rendezvous, so all of them are tried.
 */
#include "exec/inquiry.h"

#include "exec/broker.h"
#include "exec/cmdline.h"
#include "exec/monotonic.h"

#include "wire/names.h"

#include <sys/inotify.h>

#include <err.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define INQUIRY_ANSWER_MS 1000
#define INQUIRY_FIRST_MS 250 /* after a change, and doubled each time */
#define INQUIRY_LAST_MS 8000

/* What the engine at a rendezvous says of a listener: enum
 * fdrecv_wire_answer_kind, or -1 if nothing. */
static int
inquiry_ask_one(const struct sockaddr_un *address, const char *listener)
{
	struct fdrecv_wire_question question = {
	    .magic = FDRECV_WIRE_QUESTION_MAGIC,
	    .version = FDRECV_WIRE_VERSION,
	    .size = sizeof(question),
	    .name_length = (uint16_t)strlen(listener)};
	struct iovec parts[] = {{&question, sizeof(question)},
	    {(void *)(uintptr_t)listener, question.name_length}};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
	int fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct fdrecv_wire_answer answer;
	struct pollfd readable = {.fd = fd, .events = POLLIN};
	int kind = -1;

	if (fd != -1 &&
	    connect(fd, (const void *)address, sizeof(*address)) == 0 &&
	    sendmsg(fd, &message, MSG_NOSIGNAL) != -1 &&
	    poll(&readable, 1, INQUIRY_ANSWER_MS) == 1 &&
	    recv(fd, &answer, sizeof(answer), 0) == sizeof(answer) &&
	    memcmp(answer.magic, FDRECV_WIRE_ANSWER_MAGIC,
		sizeof(answer.magic)) == 0 &&
	    answer.version == FDRECV_WIRE_VERSION)
		kind = answer.kind;
	if (fd != -1)
		close(fd);
	return kind;
}

/* With -m it may be another broker's. */
static int
inquiry_can_ask(const struct cmdline *cmdline)
{
	return cmdline->mailbox == NULL || cmdline->run_dir != NULL;
}

/* The same of all engines; one that serves knows it best.  -1 also if the
 * broker has ended, changes its configuration, or is older than this program.
 */
static int
inquiry_ask(const struct cmdline *cmdline, const char *listener)
{
	struct sockaddr_un address;
	int kind, found = -1;

	if (!inquiry_can_ask(cmdline))
		return -1;
	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++) {
		if (fdrecv_names_rendezvous(
			broker_run_dir(cmdline), i, &address) == -1)
			continue;
		kind = inquiry_ask_one(&address, listener);
		if (kind > found)
			found = kind;
	}
	return found;
}

void
inquiry_expect(const struct cmdline *cmdline, const char *listener, int kind)
{
	if (kind == FDRECV_WIRE_NONE)
		errx(EX_NOUSER,
		    "listener %s: the broker does not know it: expected its "
		    "name in the broker's configuration",
		    listener);
	if (kind == FDRECV_WIRE_HANDS_OFF && !cmdline->each)
		errx(EX_CONFIG,
		    "listener %s: hands off connections: expected \"handoff = "
		    "listener\" in the broker's configuration, or --each",
		    listener);
	if (kind == FDRECV_WIRE_LENDS && cmdline->each)
		errx(EX_CONFIG,
		    "listener %s: lends its socket: --each expects \"handoff = "
		    "connection\" in the broker's configuration",
		    listener);
}

void
inquiry_check(const struct cmdline *cmdline, const char *listener)
{
	inquiry_expect(cmdline, listener, inquiry_ask(cmdline, listener));
}

void
inquiry_check_all(const struct cmdline *cmdline)
{
	for (size_t i = 0; i < cmdline->listener_count; i++)
		inquiry_check(cmdline, cmdline->listeners[i]);
}

/* The engine that is there at a change may be the one before it, or may not
 * answer yet: asks soon, and then less and less often. */
static void
inquiry_begin(struct inquiry *inquiry)
{
	inquiry->pause_ms = INQUIRY_FIRST_MS;
	inquiry->next_ms = monotonic_now_ms() + INQUIRY_FIRST_MS;
}

/* Without a watch, because the directory is gone, may not be read or the limits
 * of inotify(7) are reached, the broker is asked again and again. */
static void
inquiry_watch(struct inquiry *inquiry)
{
	inquiry->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (inquiry->watch == -1)
		return;
	if (inotify_add_watch(inquiry->watch, broker_run_dir(inquiry->cmdline),
		IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVE_SELF |
		    IN_ONLYDIR) != -1)
		return;
	close(inquiry->watch);
	inquiry->watch = -1;
}

void
inquiry_init(struct inquiry *inquiry, const struct cmdline *cmdline)
{
	*inquiry = (struct inquiry){.cmdline = cmdline,
	    .is_absent = calloc(cmdline->listener_count, 1),
	    .watch = -1,
	    .next_ms = -1};
	if (inquiry->is_absent == NULL)
		err(EX_OSERR, "listeners");
	if (!inquiry_can_ask(cmdline))
		return;
	inquiry_watch(inquiry);
	inquiry_begin(inquiry);
}

int
inquiry_left_ms(const struct inquiry *inquiry)
{
	return inquiry->next_ms == -1 ? -1 :
					monotonic_left_ms(inquiry->next_ms);
}

/* Reads what has happened in the run directory. */
static void
inquiry_read(struct inquiry *inquiry)
{
	const size_t length = sizeof(FDRECV_WIRE_RENDEZVOUS) - 1;
	char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
	struct inotify_event event;
	ssize_t n;

	/* The buffer is for one event at least, and the kernel puts in as many
	 * as fit. */
	while (inquiry->watch != -1 &&
	    (n = read(inquiry->watch, bytes, sizeof(bytes))) > 0)
		for (ssize_t at = 0; at < n;
		     at += (ssize_t)sizeof(event) + event.len) {
			memcpy(&event, bytes + at, sizeof(event));
			if (event.len == 0) { /* of the directory itself */
				close(inquiry->watch);
				inquiry->watch = -1;
				inquiry_begin(inquiry);
				break;
			}
			if (strncmp(bytes + at + sizeof(event),
				FDRECV_WIRE_RENDEZVOUS, length) == 0)
				inquiry_begin(inquiry);
		}
}

static void
inquiry_ask_all(struct inquiry *inquiry)
{
	for (size_t i = 0; i < inquiry->cmdline->listener_count; i++) {
		const char *name = inquiry->cmdline->listeners[i];
		int kind = inquiry_ask(inquiry->cmdline, name);

		if (kind == -1 ||
		    (kind == FDRECV_WIRE_NONE) == inquiry->is_absent[i])
			continue;
		inquiry->is_absent[i] = kind == FDRECV_WIRE_NONE;
		warnx("listener %s: the broker %s", name,
		    inquiry->is_absent[i] ?
			"does not know it any more: waiting until it does" :
			"knows it again");
	}
}

void
inquiry_continue(struct inquiry *inquiry, int is_readable)
{
	if (is_readable)
		inquiry_read(inquiry);
	if (inquiry_left_ms(inquiry) != 0)
		return;
	if (inquiry->watch == -1) {
		inquiry_watch(inquiry);
		if (inquiry->watch != -1)
			inquiry->pause_ms = INQUIRY_FIRST_MS;
	}
	inquiry_ask_all(inquiry);
	if (inquiry->pause_ms < INQUIRY_LAST_MS)
		inquiry->pause_ms *= 2;
	else if (inquiry->watch != -1)
		inquiry->pause_ms = 0;
	inquiry->next_ms = inquiry->pause_ms == 0 ?
	    -1 :
	    monotonic_now_ms() + inquiry->pause_ms;
}

void
inquiry_done(struct inquiry *inquiry)
{
	free(inquiry->is_absent);
	inquiry->is_absent = NULL;
	if (inquiry->watch != -1)
		close(inquiry->watch);
	inquiry->watch = -1;
}
