/* SPDX-License-Identifier: ISC */
/*
 * The top level of the configuration, in the config reader.
 */
#include "conf/meaning/settings.h"

#include "config.h"

#include <unistd.h>

/* Only root can change users.  Otherwise all processes have the same user. */
static void
settings_stay(
    struct output *out, struct location at, const char *text, uint32_t uid)
{
	if (text != NULL && uid != getuid())
		diagnostics_warning(&out->diagnostics, at,
		    "user: " REASON_VALUE
		    " is ignored: expected brokerd to be started as root, it "
		    "runs as uid %u",
		    text, (unsigned int)getuid());
	out->settings.engine_uid = getuid();
	out->settings.engine_gid = getgid();
}

static uint32_t
settings_number(struct output *out, const struct tree *tree, enum key_id id)
{
	const struct value *value = section_value(&tree->top, id);
	uint32_t number = 0;
	struct reason reason;

	if (key_read(&keys[id], value != NULL ? value->text : keys[id].initial,
		&number, &reason) == -1)
		diagnostics_reason(
		    &out->diagnostics, value->at, keys[id].name, &reason);
	return number;
}

static void
settings_read_numbers(struct output *out, const struct tree *tree)
{
	out->settings.drain_timeout_s =
	    settings_number(out, tree, KEY_DRAIN_TIMEOUT);
	out->settings.watchdog_s = settings_number(out, tree, KEY_WATCHDOG);
	out->partial = settings_number(out, tree, KEY_START) == 2;
	out->orphan_timeout_s = settings_number(out, tree, KEY_ORPHAN_TIMEOUT);
}

void
settings_read(struct output *out, const struct tree *tree, struct ids *ids,
    const char *user)
{
	const struct value *value = section_value(&tree->top, KEY_USER);
	struct location at =
	    user == NULL && value != NULL ? value->at : LOCATION_NONE;
	const char *text = user;
	uint32_t uid = ENGINE_UID, gid = ENGINE_UID;
	const char *wrong;
	struct reason reason;

	settings_read_numbers(out, tree);
	if (user == NULL && value != NULL)
		text = value->text;
	if (text != NULL && ids_user(text, &uid, &gid, &reason) == -1) {
		diagnostics_reason(&out->diagnostics, at, "user", &reason);
		return;
	}
	if (!ids->privileged) {
		settings_stay(out, at, text, uid);
		return;
	}
	out->settings.engine_uid = ids->record.engine = uid;
	out->settings.engine_gid = ids->record.engine_gid = gid;
	wrong = record_check_ids(&ids->record, RECORD_NO_ID);
	if (wrong != NULL)
		diagnostics_error(&out->diagnostics, at,
		    "user: " REASON_VALUE ": %s",
		    text != NULL ? text : "the default", wrong);
}
