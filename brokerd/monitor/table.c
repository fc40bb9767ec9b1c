/* SPDX-License-Identifier: ISC */
/*
 * The table of sockets.  Runs as root, but does not parse: an unprivileged
 * process reads the configuration, resolves the names in it, and ends.  Only
 * then are its records sealed and read, and each is checked again.
 */
#include "monitor/table.h"

#include "base/clock.h"
#include "base/fd.h"
#include "config.h"
#include "monitor/path.h"
#include "monitor/spawn.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#define TABLE_READ_MS 30000 /* it may have to ask name servers */

/* The reader gets the whole command line, and checks it.  It tries once more to
 * open a configuration that cannot be opened here, and says why not. */
static int
table_run_reader(struct setup *setup, int memory)
{
	const char **argv = calloc((size_t)setup->argc + 4, sizeof(*argv));
	struct spawn spawn = {.program = setup->reader_program,
	    .argv = argv,
	    .fds = {-1, memory, setup->log.fd, setup->log.copy, -1, -1, -1},
	    .uid = CONF_UID,
	    .gid = CONF_UID};
	int status = EX_OSERR;
	pid_t pid;

	if (argv == NULL || memory == -1) {
		log_line(
		    &setup->log, LOG_ERR, "config reader: %s", strerror(errno));
		free(argv);
		return EX_OSERR;
	}
	argv[0] = "brokerd-conf";
	argv[1] = geteuid() == 0 ? "-pR" : "-R";
	argv[2] = setup->rundir.path;
	memcpy(argv + 3, setup->argv + 1,
	    (size_t)(setup->argc - 1) * sizeof(*argv));
	if (setup->test)
		spawn.fds[1] = STDOUT_FILENO;
	if (!setup->listens)
		spawn.fds[0] = open(setup->config,
		    O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	pid = spawn_start(&spawn, &setup->log);
	if (pid != -1)
		status = spawn_wait(pid, clock_ms() + TABLE_READ_MS);
	fd_close(spawn.fds[0]);
	free(argv);
	if (status >= 0)
		return status;
	log_line(&setup->log, LOG_ERR, "config reader: ended by a signal: %s",
	    strsignal(-status));
	return EX_OSERR;
}

static const char *
table_map(struct table *table, int memory)
{
	const int seals =
	    F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
	static const struct record_header header = {
	    RECORD_MAGIC, RECORD_VERSION, sizeof(struct record)};
	struct stat st;
	void *map;

	if (fcntl(memory, F_ADD_SEALS, seals) == -1 || fstat(memory, &st) == -1)
		return strerror(errno);
	table->record_count = (size_t)st.st_size / sizeof(struct record);
	if (table->record_count < 3 || table->record_count > RECORD_MAX ||
	    (size_t)st.st_size % sizeof(struct record) != 0)
		return "its records have another size or number";
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, memory, 0);
	if (map == MAP_FAILED)
		return strerror(errno);
	table->records = map;
	table->endpoints =
	    calloc(table->record_count, sizeof(*table->endpoints));
	if (table->records[0].type != RECORD_HEADER ||
	    memcmp(&table->records[0].u.header, &header, sizeof(header)) != 0)
		return "its records are of another version";
	return table->endpoints == NULL ? strerror(errno) : NULL;
}

/* The monitor itself makes sure that uids differ, whatever the reader has
 * checked. */
static const char *
table_check(struct table *table)
{
	const struct record *r = &table->records[1];
	const struct record *end = table->records + table->record_count;
	struct record_ids ids = {.monitor = geteuid(), .reader = CONF_UID};
	const char *wrong = NULL;

	if (r->type != RECORD_SETTINGS)
		return "a record is out of place";
	table->settings = &r->u.settings;
	ids.engine = table->settings->engine_uid;
	ids.engine_gid = table->settings->engine_gid;
	while (wrong == NULL && ++r < end && r->type != RECORD_RULES) {
		table->endpoints[table->endpoint_count++] =
		    (struct endpoint){.record = r, .fd = -1};
		wrong = record_check_bind(r);
		if (wrong == NULL && geteuid() == 0)
			wrong = record_check_ids(&ids,
			    r->type == RECORD_ENDPOINT ? r->u.endpoint.owner :
							 RECORD_NO_ID);
	}
	return wrong;
}

int
table_read(struct table *table, struct setup *setup)
{
	int memory =
	    memfd_create("brokerd-table", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int status = table_run_reader(setup, memory);
	const char *wrong;

	*table = (struct table){.memory = memory, .log = &setup->log};
	if (status == EX_OK && !setup->test) {
		wrong = table_map(table, memory);
		if (wrong == NULL)
			wrong = table_check(table);
		if (wrong != NULL)
			log_line(&setup->log, LOG_ERR,
			    "config reader: unusable: %s", wrong);
		status = wrong == NULL ? -1 : EX_OSERR;
	}
	return status;
}

static int
table_fail(const struct endpoint *endpoint, struct setup *setup,
    const char *wrong, const char *more)
{
	const struct record_endpoint *of = &endpoint->record->u.endpoint;
	int named = endpoint->record->type == RECORD_ENDPOINT;

	log_line(&setup->log, LOG_ERR, "%s%s: cannot make %s: %s%s",
	    named ? "listener " : "run directory", named ? of->listener : "",
	    of->socket.name, wrong, more);
	return spawn_status(errno);
}

static const char *
table_take(struct endpoint *endpoint, struct inherited *inherited)
{
	const struct record_socket *sock = &endpoint->record->u.socket;
	const char *wrong;
	struct inherited_item *item =
	    inherited_find(inherited, endpoint->record, &wrong);

	if (item == NULL)
		return wrong;
	if (item->is_dead && sock->kind == RECORD_UDP)
		endpoint->beside = item->fd;
	/* Nobody can reach it: make a new one. */
	if (endpoint->beside > 0 ||
	    (record_path(sock) != NULL &&
		(path_find(endpoint, item->origin) == -1 || item->is_dead)))
		return NULL;
	endpoint->fd = fd_steal(&item->fd);
	endpoint->origin = item->origin;
	endpoint->shared = 1;
	return NULL;
}

/* True if nothing that serves is lost when an endpoint is left out: all sockets
 * of its listener have been taken over. */
static int
table_can_leave_out(
    const struct record *record, const struct inherited *inherited)
{
	const struct inherited_item *item = inherited->items;

	for (size_t i = 0; i < inherited->count; i++, item++)
		if (item->fd != -1 && item->origin != NULL &&
		    strcmp(item->origin->record->u.endpoint.listener,
			record->u.endpoint.listener) == 0)
			return 0;
	return (record->u.socket.flags & RECORD_OPTIONAL) != 0;
}

int
table_bind(
    struct table *table, struct setup *setup, struct inherited *inherited)
{
	struct endpoint *e = table->endpoints, *end = e + table->endpoint_count;
	int status = EX_OSERR, optional;
	const char *wrong;

	for (; e < end; e++) {
		errno = EADDRINUSE;
		if (inherited->lacks)
			return table_fail(e, setup, strerror(EMFILE), "");
		wrong = table_take(e, inherited);
		if (wrong != NULL)
			return table_fail(e, setup, wrong,
			    ": remove it, reload or start, and add it again "
			    "when no program or engine that drains has it");
	}
	for (e = table->endpoints; e < end; e++) {
		wrong = e->fd == -1 ? endpoint_bind(e) : NULL;
		if (wrong == NULL) {
			table->bound += e->record->type == RECORD_ENDPOINT;
			continue;
		}
		e->error = (uint32_t)errno;
		optional = table_can_leave_out(e->record, inherited);
		status = table_fail(e, setup, wrong,
		    optional ? ": left out until a reload" : "");
		if (!optional)
			return status;
	}
	return table->bound != 0 ? -1 : status;
}

int
table_apply(struct table *table, struct setup *setup)
{
	struct endpoint *e = table->endpoints, *end = e + table->endpoint_count;
	const struct record_endpoint *of;
	const char *wrong;

	for (; e < end; e++) {
		of = &e->record->u.endpoint;
		if (e->record->type == RECORD_ENDPOINT && of->default_mailbox &&
		    rundir_make_mailbox(&setup->rundir, of->listener, of->owner,
			table->settings->engine_gid) == -1)
			return table_fail(
			    e, setup, strerror(errno), ": mailbox directory");
		wrong = e->shared ? endpoint_apply(e, 1) : NULL;
		if (wrong != NULL)
			return table_fail(e, setup, wrong, "");
	}
	return -1;
}

void
table_take_over(struct table *table, struct table *before,
    struct channel_drain *out_drain, char *out_text, size_t size)
{
	uint32_t added = 0, changed = 0, removed = 0, unchanged = 0;

	/* The broker's own sockets count only if they were changed. */
	*out_drain = (struct channel_drain){
	    .timeout_ms = table->settings->drain_timeout_s * 1000};
	for (uint32_t i = 0; i < table->endpoint_count; i++) {
		struct endpoint *endpoint = &table->endpoints[i];
		struct endpoint *origin = endpoint->origin;
		int named = endpoint->record->type == RECORD_ENDPOINT;

		endpoint->shared = 0;
		endpoint->origin = NULL;
		if (origin == NULL)
			added += endpoint->error == 0 && named;
		else if (memcmp(&origin->record->u, &endpoint->record->u,
			     sizeof(origin->record->u)) == 0)
			unchanged += named != 0;
		else
			changed++;
		if (origin != NULL)
			origin->shared = 1;
	}
	for (uint32_t i = 0; i < before->endpoint_count; i++) {
		struct endpoint *endpoint = &before->endpoints[i];
		uint32_t kept = endpoint->record->u.socket.flags & RECORD_KEEP;

		if (endpoint->shared || endpoint->error != 0)
			continue;
		out_drain->removed[i / 8] |= (unsigned char)(1 << i % 8);
		removed += endpoint->record->type == RECORD_ENDPOINT;
		endpoint->shared = kept != 0; /* with those it was lent to */
	}
	snprintf(out_text, size,
	    "endpoints: %u added, %u changed, %u removed, %u unchanged", added,
	    changed, removed, unchanged);
}

void
table_done(struct table *table, enum endpoint_end end)
{
	struct endpoint *e = table->endpoints;
	int left;

	for (uint32_t i = 0; i < table->endpoint_count; i++, e++) {
		left = endpoint_close(e, end);
		if (left != 0) /* the next start removes it */
			log_line(table->log, LOG_WARNING,
			    "%s: its file was not removed: %s",
			    e->record->u.socket.name, strerror(left));
	}
	free(table->endpoints);
	if (table->records != NULL)
		munmap((void *)(uintptr_t)table->records,
		    table->record_count * sizeof(struct record));
	if (table->memory > 0)
		fd_close(table->memory);
	*table = (struct table){.records = NULL};
}
