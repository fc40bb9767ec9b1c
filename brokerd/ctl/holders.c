/* SPDX-License-Identifier: ISC */
/*
 * Who has the sockets that the broker has lent.  The engine knows whom it lent
 * them to, and /proc who has them now.  brokerctl, any uid: only root sees the
 * descriptors of every process.
 */
#include "ctl/holders.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct holders_process {
	json_int_t pid, parent, age_ms;
	unsigned int uid;
	char program[32];
};

/* 0, or -1 if there is no such process.  See proc(5): the 2nd field of the file
 * is in parentheses, the 4th the parent, and the 22nd the start, in ticks. */
static int
holders_read(json_int_t pid, struct holders_process *out)
{
	char path[64], text[1024] = "", *begin, *end;
	long long parent, start;
	struct timespec now;
	struct stat st;
	FILE *file;

	snprintf(
	    path, sizeof(path), "/proc/%" JSON_INTEGER_FORMAT "/stat", pid);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fstat(fileno(file), &st);
	fclose(file);
	begin = strchr(text, '(');
	end = strrchr(text, ')');
	if (begin == NULL || end == NULL ||
	    sscanf(end, ") %*c %lld", &parent) != 1)
		return -1;
	*end++ = '\0';
	for (int field = 2; field < 22 && end != NULL; field++)
		end = strchr(end + 1, ' ');
	start = end == NULL ? 0 : atoll(end);
	clock_gettime(CLOCK_BOOTTIME, &now);
	*out = (struct holders_process){.pid = pid,
	    .parent = parent,
	    .age_ms = now.tv_sec * 1000LL - start * 1000 / sysconf(_SC_CLK_TCK),
	    .uid = st.st_uid};
	snprintf(out->program, sizeof(out->program), "%.31s", begin + 1);
	return 0;
}

/* The sockets of a process, as an object with a member "N]" for the socket with
 * inode number N; NULL: that is hidden, or the process has ended. */
static json_t *
holders_sockets(json_int_t pid)
{
	char path[64], target[64];
	struct dirent *entry;
	json_t *sockets;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%" JSON_INTEGER_FORMAT "/fd", pid);
	dir = opendir(path);
	if (dir == NULL)
		return NULL;
	sockets = json_object();
	while ((entry = readdir(dir)) != NULL) {
		n = readlinkat(
		    dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		if (strncmp(target, "socket:[", 8) == 0)
			json_object_set_new(sockets, target + 8, json_true());
	}
	closedir(dir);
	return sockets;
}

static int
holders_is_lent(const json_t *listener)
{
	const char *handoff =
	    json_string_value(json_object_get(listener, "handoff"));

	return handoff != NULL && strcmp(handoff, "listener") == 0;
}

/* How many of these sockets are the listener's. */
static int
holders_count(const json_t *sockets, const json_t *listener)
{
	const json_t *endpoint;
	char name[32];
	int count = 0;
	size_t i;

	json_array_foreach(json_object_get(listener, "endpoints"), i, endpoint)
	{
		snprintf(name, sizeof(name), "%" JSON_INTEGER_FORMAT "]",
		    json_integer_value(json_object_get(endpoint, "inode")));
		count += json_object_get(sockets, name) != NULL;
	}
	return count;
}

/* What the engine says of a process that it lent the listener's sockets to, or
 * NULL. */
static json_t *
holders_known(const json_t *listener, json_int_t pid)
{
	json_t *known;
	size_t i;

	json_array_foreach(json_object_get(listener, "holders"), i,
	    known) if (json_integer_value(json_object_get(known, "pid")) ==
	    pid) return known;
	return NULL;
}

/* Adds what is known of a process, which has count of the sockets. */
static void
holders_add(json_t *rows, const json_t *listener, json_t *about, int count)
{
	size_t all = json_array_size(json_object_get(listener, "endpoints"));
	json_t *row = json_object();

	json_object_update(row, about);
	json_object_set(row, "listener", json_object_get(listener, "name"));
	json_object_set_new(row, "sockets",
	    count == -1 ? json_sprintf("?/%zu", all) :
			  json_sprintf("%d/%zu", count, all));
	json_array_append_new(rows, row);
}

/* Adds a process that has sockets, or that was lent them and has them no
 * more. */
static void
holders_look(json_t *rows, const json_t *listeners,
    const struct holders_process *process)
{
	json_t *sockets = holders_sockets(process->pid), *known, *about;
	json_t *parents = holders_sockets(process->parent);
	const json_t *listener;
	int count;
	size_t i;

	json_array_foreach(listeners, i, listener)
	{
		known = holders_known(listener, process->pid);
		count = sockets == NULL ? -1 : holders_count(sockets, listener);
		if (!holders_is_lent(listener) ||
		    (known == NULL &&
			(count < 1 ||
			    holders_count(parents, listener) >= count)))
			continue;
		about = known != NULL ?
		    json_incref(known) :
		    json_pack("{s:I, s:s, s:I, s:I}", "pid", process->pid,
			"program", process->program, "uid",
			(json_int_t)process->uid, "since_ms", process->age_ms);
		holders_add(rows, listener, about, count);
		json_decref(about);
	}
	json_decref(sockets);
	json_decref(parents);
}

static int
holders_any_lent(const json_t *listeners)
{
	const json_t *listener;
	int any = 0;
	size_t i;

	json_array_foreach(listeners, i, listener) any |=
	    holders_is_lent(listener);
	return any;
}

json_t *
holders_find(const json_t *status)
{
	const json_t *listeners = json_object_get(status, "listeners");
	const json_t *broker = json_object_get(status, "broker");
	json_int_t monitor =
	    json_integer_value(json_object_get(broker, "monitor"));
	json_int_t engine =
	    json_integer_value(json_object_get(broker, "engine"));
	DIR *dir = holders_any_lent(listeners) ? opendir("/proc") : NULL;
	struct holders_process process;
	struct dirent *entry;
	json_t *rows;

	if (dir == NULL)
		return NULL;
	rows = json_array();
	while ((entry = readdir(dir)) != NULL) {
		json_int_t pid = atoll(entry->d_name);

		/* The monitor and its engines have them all. */
		if (pid > 0 && pid != monitor && pid != engine &&
		    holders_read(pid, &process) == 0 &&
		    (monitor == 0 || process.parent != monitor))
			holders_look(rows, listeners, &process);
	}
	closedir(dir);
	return rows;
}
