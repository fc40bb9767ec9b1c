/* SPDX-License-Identifier: ISC */
/*
 * Lines on standard error.  Any role, any uid.  A reader that has stopped must
 * not stop the broker, so a line that does not fit is lost and counted.  The
 * descriptor is shared with other processes, so O_NONBLOCK cannot be set on it:
 * sockets get MSG_DONTWAIT, and other files are polled first.
 */
#include "base/log.h"

#include "base/text.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
log_init(struct log *log, const char *role, int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	*log = (struct log){.role = role, .fd = fd, .copy = -1};
	if (stream != NULL && fstat(fd, &st) == 0 &&
	    sscanf(stream, "%llu:%llu", &device, &inode) == 2)
		log->prefix = st.st_dev == device && st.st_ino == inode;
}

static int
log_write(int fd, const char *line, size_t length)
{
	struct pollfd ready = {.fd = fd, .events = POLLOUT};
	ssize_t n = send(fd, line, length, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == -1 && errno == ENOTSOCK && poll(&ready, 1, 0) == 1)
		n = write(fd, line, length);
	return n == (ssize_t)length ? 0 : -1;
}

void
log_line(struct log *log, int priority, const char *format, ...)
{
	char text[LOG_LINE_MAX - 128], line[LOG_LINE_MAX];
	char prefix[8] = "", lost[64] = "";
	int saved = errno, length;
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	text_make_printable(text);
	if (log->copy != -1)
		dprintf(log->copy, "%s\n", text);
	snprintf(prefix, log->prefix ? 8 : 1, "<%d>", priority & 7);
	if (log->lost != 0)
		snprintf(lost, 64, " (%" PRIu64 " lines lost)", log->lost);
	length = snprintf(line, sizeof(line), "%s%.20s: %s%s\n", prefix,
	    log->role, text, lost);
	log->lost =
	    log_write(log->fd, line, (size_t)length) == 0 ? 0 : log->lost + 1;
	errno = saved;
}
