/* SPDX-License-Identifier: ISC */
/*
 * Which processes have sockets, and what is unread there, from /proc.
 * brokerctl, any uid: only root sees the descriptors of every process.
 */
#include "ctl/proc.h"

#include <sys/stat.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The sockets of a process, as an object with a member "socket:[N]" for inode
 * number N; NULL: that is hidden, or there is no such process. */
static json_t *
proc_sockets(json_int_t pid)
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
		if (strncmp(target, "socket:", 7) == 0)
			json_object_set_new(sockets, target, json_true());
	}
	closedir(dir);
	return sockets;
}

/* How many of them are a listener's. */
static int
proc_count(const json_t *sockets, const json_t *endpoints)
{
	const json_t *endpoint;
	char name[64];
	int count = 0;
	size_t i;

	json_array_foreach(endpoints, i, endpoint)
	{
		snprintf(name, sizeof(name),
		    "socket:[%" JSON_INTEGER_FORMAT "]",
		    json_integer_value(json_object_get(endpoint, "inode")));
		count += json_object_get(sockets, name) != NULL;
	}
	return count;
}

/* A name that a process has chosen: bytes become '?' if it is not UTF-8. */
static json_t *
proc_name(char *name)
{
	json_t *json = json_string(name);

	for (char *at = name; json == NULL && *at != '\0'; at++)
		if ((*at & 0x80) != 0)
			*at = '?';
	return json != NULL ? json : json_string(name);
}

/* A process as /proc describes it; see proc(5). */
static json_t *
proc_describe(json_int_t pid)
{
	char path[64], text[512] = "", *name, *end;
	struct stat st = {.st_uid = 0};
	long long parent = 0;
	FILE *file;

	snprintf(
	    path, sizeof(path), "/proc/%" JSON_INTEGER_FORMAT "/stat", pid);
	file = fopen(path, "re");
	if (file != NULL) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fstat(fileno(file), &st);
		fclose(file);
	}
	name = strchr(text, '(');
	end = strrchr(text, ')');
	if (name == NULL || end == NULL)
		name = end = text;
	else if (sscanf(end, ") %*c %lld", &parent) != 1)
		parent = 0;
	*end = '\0';
	return json_pack("{s:I, s:o, s:I, s:I}", "pid", pid, "program",
	    proc_name(name + (*name == '(')), "uid", (json_int_t)st.st_uid,
	    "parent", (json_int_t)parent);
}

/* What the engine knows of a process that it lent the listener's sockets to, or
 * NULL. */
static json_t *
proc_known(const json_t *listener, json_int_t pid)
{
	json_t *known;
	size_t i;

	json_array_foreach(json_object_get(listener, "holders"), i,
	    known) if (json_integer_value(json_object_get(known, "pid")) ==
	    pid) return json_copy(known);
	return NULL;
}

/* True if the parent of a process explains that it has count sockets. */
static int
proc_is_child(const json_t *process, const json_t *broker,
    const json_t *listener, int count)
{
	json_int_t parent =
	    json_integer_value(json_object_get(process, "parent"));
	json_t *sockets = proc_sockets(parent);
	int has = proc_count(sockets, json_object_get(listener, "endpoints"));

	json_decref(sockets);
	return has >= count ||
	    parent == json_integer_value(json_object_get(broker, "monitor"));
}

static void
proc_add_holder(json_t *rows, const json_t *broker, const json_t *listener,
    json_int_t pid, const json_t *sockets)
{
	const json_t *endpoints = json_object_get(listener, "endpoints");
	int count = proc_count(sockets, endpoints);
	size_t all = json_array_size(endpoints);
	json_t *row = proc_known(listener, pid);

	if (row == NULL && count > 0) {
		row = proc_describe(pid);
		if (proc_is_child(row, broker, listener, count)) {
			json_decref(row);
			row = NULL;
		}
	}
	if (row == NULL)
		return;
	json_object_set(row, "listener", json_object_get(listener, "name"));
	json_object_set_new(row, "sockets",
	    sockets == NULL ? json_sprintf("?/%zu", all) :
			      json_sprintf("%d/%zu", count, all));
	json_array_append_new(rows, row);
}

/* The sockets of other listeners are the broker's alone. */
static int
proc_is_lent(const json_t *listener)
{
	const json_t *handoff = json_object_get(listener, "handoff");

	return json_is_string(handoff) &&
	    strcmp(json_string_value(handoff), "listener") == 0;
}

static int
proc_is_broker(const json_t *broker, json_int_t pid)
{
	static const char *const names[] = {"monitor", "engine", "keeper"};
	int is = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		is |= pid ==
		    json_integer_value(json_object_get(broker, names[i]));
	return is;
}

/* The next process of /proc that is not the broker's; 0: that was the last. */
static json_int_t
proc_next(DIR *dir, const json_t *broker)
{
	const struct dirent *entry;
	json_int_t pid;

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		pid = atoll(entry->d_name);
		if (pid > 0 && !proc_is_broker(broker, pid))
			return pid;
	}
	return 0;
}

/* How many descriptors are in the sockets of a process, unread. */
static json_int_t
proc_unread(json_int_t pid)
{
	char path[sizeof("/proc//fdinfo/") + 64], line[256];
	json_int_t sum = 0, count;
	struct dirent *entry;
	FILE *file;
	DIR *dir;

	snprintf(
	    path, sizeof(path), "/proc/%" JSON_INTEGER_FORMAT "/fdinfo", pid);
	dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path),
		    "/proc/%" JSON_INTEGER_FORMAT "/fdinfo/%.16s", pid,
		    entry->d_name);
		file = fopen(path, "re");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			if (sscanf(line, "scm_fds: %" JSON_INTEGER_FORMAT,
				&count) == 1)
				sum += count;
		if (file != NULL)
			fclose(file);
	}
	if (dir != NULL)
		closedir(dir);
	return sum;
}

json_t *
proc_list_unread(const json_t *broker)
{
	DIR *dir = opendir("/proc");
	json_t *rows = json_array(), *row;
	json_int_t pid, unread;

	while ((pid = proc_next(dir, broker)) != 0) {
		unread = proc_unread(pid);
		if (unread == 0)
			continue;
		row = proc_describe(pid);
		json_object_set_new(row, "unread", json_integer(unread));
		json_array_append_new(rows, row);
	}
	if (dir != NULL)
		closedir(dir);
	return rows;
}

json_t *
proc_list_holders(const json_t *status)
{
	const json_t *broker = json_object_get(status, "broker"), *listener;
	json_t *rows = json_array(), *sockets;
	json_int_t pid;
	DIR *dir = NULL;
	size_t i;

	json_array_foreach(json_object_get(status, "listeners"), i,
	    listener) if (dir == NULL && proc_is_lent(listener)) dir =
	    opendir("/proc");
	while ((pid = proc_next(dir, broker)) != 0) {
		sockets = proc_sockets(pid);
		json_array_foreach(json_object_get(status, "listeners"), i,
		    listener) if (proc_is_lent(listener))
		    proc_add_holder(rows, broker, listener, pid, sockets);
		json_decref(sockets);
	}
	if (dir != NULL)
		closedir(dir);
	return rows;
}
