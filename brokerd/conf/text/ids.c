/* SPDX-License-Identifier: ISC */
/*
 * Users and groups for the config reader, by NSS, under its unprivileged uid.
 */
#include "conf/text/ids.h"

#include "conf/text/number.h"
#include "config.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Reads the first line of a file in /proc, with each run of blanks as one. */
static void
ids_read_proc(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "re");
	size_t used = 0;
	int c;

	while (file != NULL && (c = getc(file)) != EOF && c != '\n') {
		if (c == ' ' && (used == 0 || text[used - 1] == ' '))
			continue;
		if (used + 1 < size)
			text[used++] = (char)c;
	}
	text[used] = '\0';
	if (file != NULL)
		fclose(file);
}

void
ids_init(struct ids *ids, int privileged)
{
	char text[64];
	uint64_t overflow;

	memset(ids, 0, sizeof(*ids));
	ids->privileged = privileged;
	ids_read_proc("/proc/self/uid_map", text, sizeof(text));
	ids->initial = strcmp(text, "0 0 4294967295") == 0;
	ids_read_proc("/proc/sys/kernel/overflowuid", text, sizeof(text));
	if (number_parse(text, 10, 0, UINT32_MAX, &overflow) == -1)
		overflow = 65534;
	ids->record.overflow = (uint32_t)overflow;
	ids->record.monitor = privileged ? 0 : getuid();
	ids->record.reader = getuid() != 0 ? getuid() : CONF_UID;
	ids->record.engine = privileged ? ENGINE_UID : getuid();
	ids->record.engine_gid = privileged ? ENGINE_UID : getgid();
}

/* Returns 1 for an id in digits, 0 for a name, or -1 and the reason. */
static int
ids_number(const char *text, uint32_t *out_id, struct reason *reason)
{
	uint64_t id;

	if (text[0] == '\0')
		return reason_set(reason, "\"\": expected a name or number");
	if (text[strspn(text, "0123456789")] != '\0')
		return 0;
	if (number_parse(text, 10, 0, RECORD_NO_ID - 1, &id) == -1)
		return reason_set(reason,
		    REASON_VALUE ": expected a number up to %u", text,
		    RECORD_NO_ID - 1);
	*out_id = (uint32_t)id;
	return 1;
}

/* getpwnam(3) lists the values of errno that mean "no such entry". */
static int
ids_fail(const char *what, const char *text, int error, struct reason *reason)
{
	if (error == ENOMEM)
		return reason_system(reason);
	if (error == 0 || error == ENOENT || error == ESRCH || error == EBADF ||
	    error == EPERM)
		return reason_set(reason,
		    "there is no %s " REASON_VALUE ": expected a %s's name or "
		    "number",
		    what, text, what);
	reason_set(reason,
	    "the %s " REASON_VALUE " could not be looked up (%s): expected a "
	    "%s's name or number",
	    what, text, strerror(error), what);
	return reason_is(reason, REASON_PASSING);
}

int
ids_user(const char *text, uint32_t *out_uid, uint32_t *out_gid,
    struct reason *reason)
{
	const struct passwd *entry;
	uint32_t uid = 0;
	int number = ids_number(text, &uid, reason);

	if (number == -1)
		return -1;
	errno = 0;
	if (number == 1)
		entry = out_gid != NULL ? getpwuid(uid) : NULL;
	else
		entry = getpwnam(text);
	if (number == 0 && entry == NULL)
		return ids_fail("user", text, errno, reason);
	*out_uid = number == 1 ? uid : entry->pw_uid;
	if (out_gid != NULL)
		*out_gid = entry != NULL ? entry->pw_gid : uid;
	return 0;
}

int
ids_group(const char *text, uint32_t *out_gid, struct reason *reason)
{
	const struct group *entry;
	int number = ids_number(text, out_gid, reason);

	if (number != 0)
		return number == 1 ? 0 : -1;
	errno = 0;
	entry = getgrnam(text);
	if (entry == NULL)
		return ids_fail("group", text, errno, reason);
	*out_gid = entry->gr_gid;
	return 0;
}
