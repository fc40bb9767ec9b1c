/* SPDX-License-Identifier: ISC */
/*
 * The top level of the configuration, in the config reader.
 */
#include "conf/meaning/settings.h"

#include "config.h"

#include <unistd.h>

/* Only root can change users: without it the broker is all one user's. */
static void
settings_stay(
    struct output *out, unsigned int line, const char *text, uint32_t uid)
{
	if (text != NULL && uid != getuid())
		output_warning(out, line,
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
	struct reason why;

	if (key_read(&keys[id], value != NULL ? value->text : keys[id].initial,
		&number, &why) == -1)
		output_why(out, value->line, keys[id].name, &why);
	return number;
}

static void
settings_read_numbers(struct output *out, const struct tree *tree)
{
	out->settings.drain_timeout_s =
	    settings_number(out, tree, KEY_DRAIN_TIMEOUT);
	out->settings.watchdog_s = settings_number(out, tree, KEY_WATCHDOG);
	out->orphan_timeout_s = settings_number(out, tree, KEY_ORPHAN_TIMEOUT);
}

void
settings_read(struct output *out, const struct tree *tree, struct ids *ids,
    const char *user)
{
	const struct value *value = section_value(&tree->top, KEY_USER);
	unsigned int line = user == NULL && value != NULL ? value->line : 0;
	const char *text = user;
	uint32_t uid = ENGINE_UID, gid = ENGINE_UID;
	const char *wrong;
	struct reason why;

	settings_read_numbers(out, tree);
	if (user == NULL && value != NULL)
		text = value->text;
	if (text != NULL && ids_user(text, &uid, &gid, &why) == -1) {
		output_why(out, line, "user", &why);
		return;
	}
	if (!ids->privileged) {
		settings_stay(out, line, text, uid);
		return;
	}
	out->settings.engine_uid = ids->record.engine = uid;
	out->settings.engine_gid = ids->record.engine_gid = gid;
	wrong = record_check_ids(&ids->record, RECORD_NO_ID);
	if (wrong != NULL)
		output_error(out, line, "user: " REASON_VALUE ": %s",
		    text != NULL ? text : "the default", wrong);
}
