/* SPDX-License-Identifier: ISC */
/*
 * The control socket, in the config reader.  By its mode only its owner and
 * control-group can connect.  The engine decides by the credentials of the peer
 * what it may do; the record contains the group and, unless that is root, the
 * user who started brokerd.
 */
#include "conf/meaning/control_socket.h"

#include "conf/meaning/builtin_socket.h"
#include "conf/meaning/ownership.h"

#include "wire/names.h"

#include <stdio.h>

#define CONTROL_SOCKET_BACKLOG 64

/* Returns RECORD_NO_ID if there is none, or none that can be used. */
static uint32_t
control_socket_group(
    struct output *out, const struct section *top, const struct ids *ids)
{
	const struct value *value = section_value(top, KEY_CONTROL_GROUP);
	uint32_t gid = RECORD_NO_ID;
	struct reason reason;

	if (value != NULL &&
	    (key_read(&keys[KEY_CONTROL_GROUP], value->text, &gid, &reason) ==
		    -1 ||
		ownership_check_group(ids, value->text, gid, &reason) == -1))
		diagnostics_reason(&out->diagnostics, value->at,
		    keys[KEY_CONTROL_GROUP].name, &reason);
	return gid;
}

void
control_socket_add(struct output *out, const struct section *top,
    const struct ids *ids, const char *rundir)
{
	uint32_t gid = control_socket_group(out, top, ids);
	struct record_control *control;
	struct record *record;
	char path[RECORD_PATH_SIZE];

	snprintf(path, sizeof(path), "%s/" FDRECV_WIRE_CONTROL, rundir);
	record =
	    builtin_socket_add(out, RECORD_CONTROL, RECORD_UNIX_STREAM, path);
	if (record == NULL)
		return;
	control = &record->u.control;
	control->socket.backlog = CONTROL_SOCKET_BACKLOG;
	control->socket.gid = gid;
	control->socket.mode = gid == RECORD_NO_ID ? 0600 : 0660;
	control->owner = ids->privileged ? RECORD_NO_ID : ids->record.monitor;
}
