/* SPDX-License-Identifier: ISC */
/*
 * The table of keys, for the config reader: name, type, default, range, needs,
 * and the field for the value.  A new key is a line here and one in the manual
 * page; a test compares the two.
 */
#include "conf/keys/keys.h"

#include "conf/text/ids.h"
#include "conf/text/number.h"
#include "config.h"

#include <string.h>
#include <strings.h>

#define KEY_STRING(number) #number
#define KEY_NUMBER_TEXT(number) KEY_STRING(number)
#define KEY_AT(field) offsetof(struct record_endpoint, field)

const struct key keys[KEY_COUNT] = {
    [KEY_USER] = {"user", KEY_TYPE_USER, KEY_NUMBER_TEXT(ENGINE_UID), NULL, 0,
	0, 0, 0, 0, "user of the engine, if brokerd is started as root"},
    [KEY_DRAIN_TIMEOUT] = {"drain-timeout", KEY_TYPE_NUMBER, "10", NULL, 1,
	3600, 0, 0, 0,
	"seconds that an engine has to finish before it is killed"},
    [KEY_ORPHAN_TIMEOUT] = {"orphan-timeout", KEY_TYPE_NUMBER, "300", NULL, 0,
	86400, 0, 0, 0,
	"seconds that the engine serves on when the monitor has died"},
    [KEY_WATCHDOG] = {"watchdog", KEY_TYPE_NUMBER, "10", NULL, 0, 3600, 0, 0, 0,
	"seconds between checks whether the engine answers; 0: no checks"},
    [KEY_START] = {"start", KEY_TYPE_CHOICE, "all", "all|partial", 0, 0, 0, 0,
	0, "start only with all addresses bound, or without those that cannot"},
    [KEY_CONTROL_GROUP] = {"control-group", KEY_TYPE_GROUP, NULL, NULL, 0, 0, 0,
	0, 0, "group that may query the control socket but change nothing"},
    [KEY_LISTEN] = {"listen", KEY_TYPE_LIST, NULL, "KIND:ADDRESS ...", 0, 0, 0,
	0, 0, "addresses to bind, one or more"},
    [KEY_HANDOFF] = {"handoff", KEY_TYPE_CHOICE, "connection",
	"connection|listener", 0, 0, 0, KEY_AT(handoff), 0,
	"what workers get: each connection, or the bound socket itself"},
    [KEY_ON_REMOVAL] = {"on-removal", KEY_TYPE_CHOICE, "keep", "keep|shutdown",
	0, 0, KEY_NEEDS_LENT, 0, RECORD_KEEP,
	"whether programs keep the socket when its address is removed"},
    [KEY_MAILBOX] = {"mailbox", KEY_TYPE_TEXT, "RUNDIR/mailbox/LISTENER/",
	"absolute path", 0, RECORD_PATH_SIZE - 1, 0, 0, 0,
	"socket of the worker, or with a / at its end a directory of them"},
    [KEY_OWNER] = {"owner", KEY_TYPE_USER, NULL, NULL, 0, 0, 0, KEY_AT(owner),
	0, "user whose workers may have the mailbox"},
    [KEY_PROTOCOL] = {"protocol", KEY_TYPE_CHOICE, "auto",
	"auto|portlisten|bare", 0, 0, 0, KEY_AT(protocol), 0,
	"what a hand-off carries beside the descriptor"},
    [KEY_WINDOW] = {"window", KEY_TYPE_NUMBER, "64", NULL, 1, RECORD_WINDOW_MAX,
	KEY_NEEDS_HANDOFF, KEY_AT(window), 0,
	"connections that a worker may hold without a receipt"},
    [KEY_RECEIPT_TIMEOUT] = {"receipt-timeout", KEY_TYPE_NUMBER, "2", NULL, 1,
	3600, KEY_NEEDS_HANDOFF, KEY_AT(receipt_timeout_s), 0,
	"seconds that a connection is kept for redelivery once a worker has "
	"emptied its mailbox"},
    [KEY_STUCK_AFTER] = {"stuck-after", KEY_TYPE_NUMBER, "30", "never", 0,
	86400, 0, KEY_AT(stuck_after_s), 0,
	"seconds without an answer until a worker counts as stuck, or is named "
	"if it was lent the socket; 0: never"},
    [KEY_REDELIVERIES] = {"redeliveries", KEY_TYPE_NUMBER, "3", NULL, 0, 1000,
	KEY_NEEDS_HANDOFF, KEY_AT(redeliveries), 0,
	"workers that may die with one connection before it is refused"},
    [KEY_MAX_CONNECTIONS] = {"max-connections", KEY_TYPE_NUMBER, "0", NULL, 0,
	1000000, KEY_NEEDS_HANDOFF, KEY_AT(max_connections), 0,
	"connections that a worker serves at a time, if it counts them; "
	"0: any number"},
    [KEY_GIVE_UP] = {"give-up", KEY_TYPE_NUMBER, "60", NULL, 0, 86400,
	KEY_NEEDS_HANDOFF, KEY_AT(give_up_s), 0,
	"seconds that a connection waits if there is no worker; 0: forever"},
    [KEY_REFUSE] = {"refuse", KEY_TYPE_CHOICE, "close", "close|reset|message",
	0, 0, KEY_NEEDS_HANDOFF, KEY_AT(refuse), 0,
	"how connections are refused after give-up"},
    [KEY_REFUSE_MESSAGE] = {"refuse-message", KEY_TYPE_TEXT, NULL,
	"1..1024 bytes", 1, RECORD_MESSAGE_SIZE, KEY_NEEDS_HANDOFF, 0, 0,
	"text sent to refused clients, with refuse = message"},
    [KEY_ALLOW] = {"allow", KEY_TYPE_LIST, NULL, "SOURCE ...", 0, 0,
	KEY_NEEDS_HANDOFF, 0, 0,
	"clients that may connect; others may not: addresses, "
	"user:NAME, group:NAME, any"},
    [KEY_DENY] = {"deny", KEY_TYPE_LIST, NULL, "SOURCE ...", 0, 0,
	KEY_NEEDS_HANDOFF, 0, 0,
	"clients that may not connect, in the same form"},
    [KEY_MAX_PER_SOURCE] = {"max-per-source", KEY_TYPE_NUMBER, "0", NULL, 0,
	RECORD_SOURCE_MAX, KEY_NEEDS_HANDOFF, KEY_AT(source.max_per_source), 0,
	"connections that a source may have at a time; 0: any number"},
    [KEY_RATE_PER_SOURCE] = {"rate-per-source", KEY_TYPE_TEXT, "0",
	"NUMBER[/second|/minute|/hour]", 0, RECORD_SOURCE_MAX,
	KEY_NEEDS_HANDOFF, 0, 0,
	"connections that a source may make in that time; 0: any number"},
    [KEY_SOURCE_PREFIX] = {"source-prefix", KEY_TYPE_LIST, "32, 64",
	"0..32, 0..128", 0, 0, KEY_NEEDS_HANDOFF, 0, 0,
	"bits of IPv4 and IPv6 addresses that make a source"},
    [KEY_ACCEPT_AHEAD] = {"accept-ahead", KEY_TYPE_NUMBER, "1024", NULL, 0,
	RECORD_AHEAD_MAX, KEY_NEEDS_HANDOFF, KEY_AT(source.accept_ahead), 0,
	"connections that may wait in the engine, in turn by source"},
    [KEY_BACKLOG] = {"backlog", KEY_TYPE_NUMBER, "4096", NULL, 1, 65535,
	KEY_NEEDS_CONNECTIONS, KEY_AT(socket.backlog), 0,
	"connections that may wait in the kernel, see listen(2)"},
    [KEY_V6ONLY] = {"v6only", KEY_TYPE_BOOLEAN, "true", NULL, 0, 0,
	KEY_NEEDS_INET, 0, RECORD_V6ONLY,
	"an IPv6 address accepts only IPv6, see IPV6_V6ONLY in ipv6(7)"},
    [KEY_NODELAY] = {"nodelay", KEY_TYPE_BOOLEAN, "false", NULL, 0, 0,
	KEY_NEEDS_TCP, 0, RECORD_NODELAY, "TCP_NODELAY, see tcp(7)"},
    [KEY_KEEPALIVE] = {"keepalive", KEY_TYPE_BOOLEAN, "false", NULL, 0, 0,
	KEY_NEEDS_TCP, 0, RECORD_KEEPALIVE, "SO_KEEPALIVE, see socket(7)"},
    [KEY_FREEBIND] = {"freebind", KEY_TYPE_BOOLEAN, "false", NULL, 0, 0,
	KEY_NEEDS_INET, 0, RECORD_FREEBIND,
	"bind an address that the machine does not have yet, see ip(7)"},
    [KEY_REUSE_PORT] = {"reuse-port", KEY_TYPE_BOOLEAN, "false", NULL, 0, 0,
	KEY_NEEDS_INET, 0, RECORD_REUSEPORT,
	"other brokers of this user may bind the address, see socket(7)"},
    [KEY_SOCKET_USER] = {"socket-user", KEY_TYPE_USER, NULL, NULL, 0, 0,
	KEY_NEEDS_PATH, KEY_AT(socket.uid), 0, "owner of a socket file"},
    [KEY_SOCKET_GROUP] = {"socket-group", KEY_TYPE_GROUP, NULL, NULL, 0, 0,
	KEY_NEEDS_PATH, KEY_AT(socket.gid), 0, "group of a socket file"},
    [KEY_SOCKET_MODE] = {"socket-mode", KEY_TYPE_MODE, "0666", NULL, 0, 0777,
	KEY_NEEDS_PATH, KEY_AT(socket.mode), 0, "mode of a socket file, octal"},
    [KEY_PASS_CREDENTIALS] = {"pass-credentials", KEY_TYPE_BOOLEAN, "false",
	NULL, 0, 0, KEY_NEEDS_UNIX, 0, RECORD_PASS_CREDENTIALS,
	"SO_PASSCRED, see unix(7)"},
    [KEY_PASS_SECURITY] = {"pass-security", KEY_TYPE_BOOLEAN, "false", NULL, 0,
	0, KEY_NEEDS_UNIX, 0, RECORD_PASS_SECURITY, "SO_PASSSEC, see unix(7)"},
};

static const struct {
	const char *name;
	const char *range;
} key_types[] = {
    [KEY_TYPE_LIST] = {"list", NULL},
    [KEY_TYPE_TEXT] = {"text", NULL},
    [KEY_TYPE_CHOICE] = {"choice", NULL},
    [KEY_TYPE_NUMBER] = {"number", NULL},
    [KEY_TYPE_BOOLEAN] = {"boolean", "true|false"},
    [KEY_TYPE_MODE] = {"mode", "0000..0777"},
    [KEY_TYPE_USER] = {"user", "name or number"},
    [KEY_TYPE_GROUP] = {"group", "name or number"},
};

static const struct {
	unsigned int need;
	const char *text;
} key_needs[] = {
    {KEY_NEEDS_TCP, "a tcp address in listen"},
    {KEY_NEEDS_INET, "a tcp or udp address in listen"},
    {KEY_NEEDS_UNIX,
	"a unix-stream, unix-dgram or unix-seqpacket address in "
	"listen"},
    {KEY_NEEDS_PATH, "an address in listen that is a path"},
    {KEY_NEEDS_CONNECTIONS,
	"a tcp, unix-stream or unix-seqpacket address in listen"},
    {KEY_NEEDS_HANDOFF, "handoff = connection"},
    {KEY_NEEDS_LENT, "handoff = listener"},
};

enum key_id
keys_find(const char *name)
{
	enum key_id id = 0;

	while (id < KEY_COUNT && strcmp(keys[id].name, name) != 0)
		id++;
	return id;
}

const char *
key_need_text(unsigned int need)
{
	for (size_t i = 0; i < sizeof(key_needs) / sizeof(key_needs[0]); i++)
		if (key_needs[i].need & need)
			return key_needs[i].text;
	return "another address in listen";
}

/* "a|b|c" as "a, b or c". */
static void
key_choices(const char *range, char *text, size_t size)
{
	size_t used = 0;

	while (used < size) {
		size_t length = strcspn(range, "|");
		const char *bar = strchr(range + length, '|');
		const char *joint = "";

		if (bar != NULL)
			joint = strchr(bar + 1, '|') != NULL ? ", " : " or ";
		used += (size_t)snprintf(text + used, size - used, "%.*s%s",
		    (int)length, range, joint);
		if (bar == NULL)
			break;
		range = bar + 1;
	}
}

static int
key_read_choice(const struct key *key, const char *text, uint32_t *out_value,
    struct reason *reason)
{
	char choices[64];
	const char *range = key->range != NULL ? key->range : "";
	const char *at = range;
	size_t length = strlen(text);

	for (uint32_t value = 1;; value++) {
		size_t choice = strcspn(at, "|");

		if (length == choice && strncmp(at, text, length) == 0) {
			*out_value = value;
			return 0;
		}
		if (at[choice] == '\0')
			break;
		at += choice + 1;
	}
	key_choices(range, choices, sizeof(choices));
	return reason_set(reason, REASON_VALUE ": expected %s", text, choices);
}

static int
key_read_boolean(const char *text, uint32_t *out_value, struct reason *reason)
{
	static const char *const words[] = {
	    "false", "true", "no", "yes", "off", "on"};

	for (uint32_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasecmp(words[i], text) == 0) {
			*out_value = i % 2;
			return 0;
		}
	return reason_set(
	    reason, REASON_VALUE ": expected true or false", text);
}

/* The range of a number is a word for 0, if it has one. */
static int
key_read_number(const struct key *key, const char *text, uint32_t *out_value,
    struct reason *reason)
{
	int has_word = key->range != NULL;
	uint64_t value = 0;

	if ((!has_word || strcmp(text, key->range) != 0) &&
	    number_parse(text, 10, key->min, key->max, &value) == -1)
		return reason_set(reason,
		    REASON_VALUE ": expected %u to %u%s%s", text, key->min,
		    key->max, has_word ? " or " : "",
		    has_word ? key->range : "");
	*out_value = (uint32_t)value;
	return 0;
}

int
key_read(const struct key *key, const char *text, uint32_t *out_value,
    struct reason *reason)
{
	uint64_t value;

	switch (key->type) {
	case KEY_TYPE_CHOICE:
		return key_read_choice(key, text, out_value, reason);
	case KEY_TYPE_BOOLEAN:
		return key_read_boolean(text, out_value, reason);
	case KEY_TYPE_USER:
		return ids_user(text, out_value, NULL, reason);
	case KEY_TYPE_GROUP:
		return ids_group(text, out_value, reason);
	case KEY_TYPE_NUMBER:
		return key_read_number(key, text, out_value, reason);
	case KEY_TYPE_MODE:
		if (number_parse(text, 8, key->min, key->max, &value) == -1)
			return reason_set(reason,
			    REASON_VALUE
			    ": expected an octal mode from 0000 to "
			    "%04o",
			    text, key->max);
		break;
	case KEY_TYPE_LIST:
	case KEY_TYPE_TEXT:
	default:
		return reason_set(
		    reason, "no number can be read from this key");
	}
	*out_value = (uint32_t)value;
	return 0;
}

void
keys_expected(enum key_id found, int in_listener, char *text, size_t size)
{
	enum key_id first = in_listener ? KEY_LISTEN : 0;
	enum key_id end = in_listener ? KEY_COUNT : KEY_LISTEN;
	size_t used = 0;

	if (found != KEY_COUNT) {
		snprintf(text, size, "it %s",
		    in_listener ? "at the top level, outside of listeners" :
				  "within listener NAME { ... }");
		return;
	}
	for (enum key_id id = first; id < end && used < size; id++) {
		int n = snprintf(text + used, size - used, "%s%s",
		    id == first ? "one of " : ", ", keys[id].name);

		used += (size_t)n;
	}
	if (!in_listener && used < size)
		snprintf(text + used, size - used, ", listener, include");
}

void
keys_print(FILE *file)
{
	for (enum key_id id = 0; id < KEY_COUNT; id++) {
		const struct key *key = &keys[id];
		const char *range = key->range;

		fprintf(file, "%s\t%s\t%s\t", key->name,
		    key_types[key->type].name,
		    key->initial != NULL ? key->initial : "none");
		if (range == NULL)
			range = key_types[key->type].range;
		if (key->type == KEY_TYPE_NUMBER)
			fprintf(file, "%u..%u%s", key->min, key->max,
			    range != NULL ? "|" : "");
		if (range != NULL)
			fprintf(file, "%s", range);
		fprintf(file, "\t%s\n", key->description);
	}
}
