/* SPDX-License-Identifier: ISC */
/*
 * What the tests of libfdrecv share: a mailbox, and somebody who sends to it.
 */
#include "mail.h"

#include "net.h"
#include "unit.h"

#include <sys/socket.h>

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

struct fdrecv *
mail_box(const char *path)
{
	struct fdrecv *box = fdrecv_open(path, NULL);

	ck_assert_msg(box != NULL, "%s: %s", path, strerror(errno));
	return box;
}

void
mail_refused(const char *path, int error)
{
	errno = 0;
	ck_assert_ptr_null(fdrecv_open(path, NULL));
	ck_assert_msg(errno == error, "%s: %s", path, strerror(errno));
}

unsigned int
mail_names(const char *directory)
{
	DIR *dir = opendir(directory);
	const struct dirent *entry;
	unsigned int count = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		ck_assert_msg(
		    entry->d_name[0] != '.', "%s was left", entry->d_name);
		count++;
	}
	closedir(dir);
	return count;
}

void
mail_open_with(struct mail *out_mail, const struct fdrecv_options *options)
{
	const char *path = unit_path("box");

	*out_mail = (struct mail){.handoff = FDRECV_HANDOFF_INIT};
	out_mail->box = fdrecv_open(path, options);
	ck_assert_ptr_nonnull(out_mail->box);
	out_mail->sender = net_reach(path, SOCK_DGRAM);
	ck_assert_int_ne(out_mail->sender, -1);
}

void
mail_open(struct mail *out_mail, unsigned int flags)
{
	struct fdrecv_options options = FDRECV_OPTIONS_INIT;

	options.flags = flags;
	mail_open_with(out_mail, &options);
}

void
mail_close(struct mail *mail)
{
	fdrecv_close(mail->box);
	close(mail->sender);
}

void
mail_send(const struct mail *mail, int fd)
{
	ck_assert_int_eq(net_send(mail->sender, "x", 1, &fd, 1), 1);
	close(fd);
}

int
mail_connection(const struct mail *mail)
{
	int ends[2];

	ck_assert_int_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	mail_send(mail, ends[1]);
	return ends[0];
}

void
mail_expect(struct mail *mail, int end)
{
	char byte = 0;

	ck_assert_int_eq(fdrecv_next(mail->box, &mail->handoff), 1);
	ck_assert_int_eq(write(mail->handoff.fd, "y", 1), 1);
	ck_assert_int_eq(recv(end, &byte, 1, MSG_DONTWAIT), 1);
	ck_assert_int_eq(byte, 'y');
	fdrecv_done(mail->box, &mail->handoff);
	ck_assert_int_eq(recv(end, &byte, 1, MSG_DONTWAIT), 0);
	close(end);
}
