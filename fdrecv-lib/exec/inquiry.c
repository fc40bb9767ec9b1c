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

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define INQUIRY_ANSWER_MS 1000
#define INQUIRY_SHORT_MS 20 /* while clients are served */
#define INQUIRY_PAUSE_MS 5000
#define INQUIRY_START_MS 1000 /* while a program waits to be started */
/* After a change, which the engine before it may answer. */
#define INQUIRY_QUESTIONS 4

/* What the engine at a rendezvous says of a listener: enum
 * fdrecv_wire_answer_kind, or -1 if nothing. */
static int
inquiry_ask_one(
    const struct sockaddr_un *address, const char *listener, int wait_ms)
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
	    poll(&readable, 1, wait_ms) == 1 &&
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
inquiry_ask(const struct cmdline *cmdline, const char *listener, int wait_ms)
{
	struct sockaddr_un address;
	int kind, found = -1;

	if (!inquiry_can_ask(cmdline))
		return -1;
	for (int i = 0; i < FDRECV_WIRE_RENDEZVOUS_COUNT; i++) {
		if (fdrecv_names_rendezvous(
			broker_run_dir(cmdline), i, &address) == -1)
			continue;
		kind = inquiry_ask_one(&address, listener, wait_ms);
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

static void
inquiry_directory(
    const struct cmdline *cmdline, const char *listener, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/" FDRECV_WIRE_MAILBOX_DIR "/%s",
	    broker_run_dir(cmdline), listener);
}

/* 0 if there is none, or with -m. */
static ino_t
inquiry_directory_inode(const struct cmdline *cmdline, const char *listener)
{
	char path[PATH_MAX];
	struct stat st;

	inquiry_directory(cmdline, listener, path);
	return cmdline->mailbox == NULL && stat(path, &st) == 0 ? st.st_ino : 0;
}

/* A broker makes this directory for each listener without a mailbox of its own,
 * when it starts and at each reload. */
static void
inquiry_check_directory(
    const struct cmdline *cmdline, const char *listener, int kind)
{
	char path[PATH_MAX];
	struct stat st;

	inquiry_directory(cmdline, listener, path);
	if (stat(path, &st) == -1) {
		if (errno == EACCES)
			err(EX_NOPERM, "listener %s: %s/", listener, path);
		if (kind == -1)
			errx(EX_NOUSER,
			    "listener %s: the broker does not know it: %s/: "
			    "%s: expected its name in the broker's "
			    "configuration, or -m if it has a mailbox of its "
			    "own",
			    listener, path, strerror(errno));
		errx(EX_TEMPFAIL,
		    "listener %s: the broker knows it, and there is no %s/: "
		    "expected -m if it has a mailbox of its own; else somebody "
		    "has removed the directory, and \"brokerctl reload\" makes "
		    "it again",
		    listener, path);
	}
	if (st.st_uid != geteuid())
		errx(EX_NOPERM,
		    "listener %s: %s/ belongs to uid %u, and this is uid %u: "
		    "expected to be started as its owner%s",
		    listener, path, st.st_uid, geteuid(),
		    geteuid() == 0 ? ", or with --user" : "");
}

void
inquiry_check_all(const struct cmdline *cmdline)
{
	for (size_t i = 0; i < cmdline->listener_count; i++) {
		const char *name = cmdline->listeners[i];
		int kind = inquiry_ask(cmdline, name, INQUIRY_ANSWER_MS);

		inquiry_expect(cmdline, name, kind);
		if (cmdline->mailbox == NULL)
			inquiry_check_directory(cmdline, name, kind);
	}
}

void
inquiry_init(struct inquiry *inquiry, const struct cmdline *cmdline)
{
	*inquiry = (struct inquiry){.cmdline = cmdline,
	    .listeners =
		calloc(cmdline->listener_count, sizeof(*inquiry->listeners)),
	    .next_ms =
		inquiry_can_ask(cmdline) ? monotonic_now_ms() : LLONG_MAX};
	if (inquiry->listeners == NULL)
		err(EX_OSERR, "listeners");
	for (size_t i = 0; i < cmdline->listener_count; i++)
		inquiry->listeners[i].directory =
		    inquiry_directory_inode(cmdline, cmdline->listeners[i]);
}

int
inquiry_left_ms(const struct inquiry *inquiry)
{
	return inquiry->next_ms == LLONG_MAX ?
	    -1 :
	    monotonic_left_ms(inquiry->next_ms);
}

/* A mailbox is lost with its directory, even if there is another one, which has
 * another inode as long as libfdrecv keeps the first one open. */
static void
inquiry_look(struct inquiry *inquiry, const char *name, ino_t directory)
{
	if (directory == inquiry_directory_inode(inquiry->cmdline, name))
		return;
	warnx("listener %s: its mailbox directory has been removed, and the "
	      "mailbox with it: ending, so that this is started again",
	    name);
	inquiry->is_lost = 1;
}

static void
inquiry_ask_all(struct inquiry *inquiry, const char *only)
{
	for (size_t i = 0; i < inquiry->cmdline->listener_count; i++) {
		struct inquiry_listener *listener = &inquiry->listeners[i];
		const char *name = inquiry->cmdline->listeners[i];
		int kind;

		if (only != NULL && strcmp(name, only) != 0)
			continue;
		kind = inquiry_ask(inquiry->cmdline, name, INQUIRY_SHORT_MS);
		if (!inquiry->cmdline->each)
			inquiry_expect(inquiry->cmdline, name, kind);
		if (kind != -1 && kind != FDRECV_WIRE_NONE)
			inquiry_look(inquiry, name, listener->directory);
		if (kind == -1 ||
		    (kind == FDRECV_WIRE_NONE) == listener->is_absent)
			continue;
		listener->is_absent = kind == FDRECV_WIRE_NONE;
		warnx("listener %s: the broker %s", name,
		    listener->is_absent ?
			"does not know it any more: waiting until it does" :
			"knows it again");
	}
}

/* A watch of inotify(7) would need permission to read the directory, whose mode
 * is 0711. */
void
inquiry_continue(struct inquiry *inquiry, const char *only)
{
	struct stat st;

	if (inquiry_left_ms(inquiry) != 0)
		return;
	inquiry->next_ms = monotonic_now_ms() +
	    (inquiry->cmdline->each ? INQUIRY_PAUSE_MS : INQUIRY_START_MS);
	if (stat(broker_run_dir(inquiry->cmdline), &st) == 0 &&
	    memcmp(&st.st_mtim, &inquiry->change, sizeof(st.st_mtim)) != 0) {
		inquiry->change = st.st_mtim;
		inquiry->questions = INQUIRY_QUESTIONS;
	}
	if (inquiry->questions == 0)
		return;
	inquiry->questions--;
	inquiry_ask_all(inquiry, only);
}

void
inquiry_done(struct inquiry *inquiry)
{
	free(inquiry->listeners);
	inquiry->listeners = NULL;
}
