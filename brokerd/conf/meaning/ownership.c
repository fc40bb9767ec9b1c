/* SPDX-License-Identifier: ISC */
/*
 * Users and groups that the monitor can give files to, in the config reader.
 * Otherwise an ordinary user would learn of an error only when it makes them.
 */
#include "conf/meaning/ownership.h"

#include <unistd.h>

int
ownership_check_user(const struct ids *ids, const char *text, uint32_t uid,
    struct reason *reason)
{
	if (ids->privileged || uid == ids->record.monitor)
		return 0;
	return reason_set(reason,
	    REASON_VALUE
	    ": expected uid %u, since brokerd does not run as root",
	    text, ids->record.monitor);
}

int
ownership_check_group(const struct ids *ids, const char *text, uint32_t gid,
    struct reason *reason)
{
	if (ids->privileged || gid == getegid() || group_member(gid))
		return 0;
	return reason_set(reason,
	    REASON_VALUE
	    ": expected a group of uid %u, since brokerd does not run as root",
	    text, ids->record.monitor);
}

void
ownership_check_socket(struct output *out, const struct section *section,
    const struct record_endpoint *endpoint, const struct ids *ids)
{
	const struct value *user = section_value(section, KEY_SOCKET_USER);
	const struct value *group = section_value(section, KEY_SOCKET_GROUP);
	uint32_t uid = endpoint->socket.uid, gid = endpoint->socket.gid;
	struct reason reason;

	/* An error in reading one was reported already. */
	if (user != NULL && uid != RECORD_NO_ID &&
	    ownership_check_user(ids, user->text, uid, &reason) == -1)
		diagnostics_reason(&out->diagnostics, user->at,
		    keys[KEY_SOCKET_USER].name, &reason);
	if (group != NULL && gid != RECORD_NO_ID &&
	    ownership_check_group(ids, group->text, gid, &reason) == -1)
		diagnostics_reason(&out->diagnostics, group->at,
		    keys[KEY_SOCKET_GROUP].name, &reason);
}
