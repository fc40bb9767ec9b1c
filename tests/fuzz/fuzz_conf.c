/* SPDX-License-Identifier: ISC */
/*
 * The text of a configuration.  Whatever it is, the reader ends with messages
 * or with records that pass the monitor's own checks.  No name service is
 * asked: two users and one group exist.
 */
#include "fuzz/fuzz.h"

#include "conf/reader.h"
#include "record/record.h"

#include <sys/mman.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

static struct passwd users[] = {
    {.pw_name = (char[]){"nobody"}, .pw_uid = 65534, .pw_gid = 65534},
    {.pw_name = (char[]){"www-data"}, .pw_uid = 33, .pw_gid = 33},
};
static struct group group = {.gr_name = (char[]){"www-data"}, .gr_gid = 33};

struct passwd *
getpwnam(const char *name)
{
	errno = 0;
	for (int i = 0; i < 2; i++)
		if (strcmp(name, users[i].pw_name) == 0)
			return &users[i];
	return NULL;
}

struct passwd *
getpwuid(uid_t uid)
{
	errno = 0;
	for (int i = 0; i < 2; i++)
		if (uid == users[i].pw_uid)
			return &users[i];
	return NULL;
}

struct group *
getgrnam(const char *name)
{
	errno = 0;
	return strcmp(name, group.gr_name) == 0 ? &group : NULL;
}

int
getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
    struct addrinfo **result)
{
	union {
		void *symbol;
		int (*call)(const char *, const char *, const struct addrinfo *,
		    struct addrinfo **);
	} real = {.symbol = dlsym(RTLD_NEXT, "getaddrinfo")};
	struct addrinfo numeric = {.ai_flags = AI_NUMERICHOST};

	if (hints != NULL)
		numeric = *hints;
	numeric.ai_flags |= AI_NUMERICHOST;
	return real.call(node, service, &numeric, result) == 0 ? 0 : EAI_NONAME;
}

static void
expect_records(const struct output *out)
{
	int fd = memfd_create("records", MFD_CLOEXEC);
	static struct record record;
	off_t size;

	fuzz_must(output_write(out, fd) == 0);
	size = lseek(fd, 0, SEEK_END);
	fuzz_must(size % (off_t)sizeof(record) == 0);
	fuzz_must(size / (off_t)sizeof(record) <= RECORD_MAX);
	for (off_t at = 0; at < size; at += (off_t)sizeof(record)) {
		fuzz_must(pread(fd, &record, sizeof(record), at) ==
		    (ssize_t)sizeof(record));
		if (record.type == RECORD_ENDPOINT)
			fuzz_must(record_check(&record) == NULL);
		if (record.type == RECORD_RULES)
			fuzz_must(record_check_rules(&record.u.rules) == NULL);
	}
	close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct options options = {
	    .file = "fuzz", .rundir = "/run/brokerd", .privileged = size & 1};
	int text = memfd_create("text", MFD_CLOEXEC);
	unsigned int before;
	struct output out;
	struct tree tree;
	struct log log;

	fuzz_must(write(text, data, size) == (ssize_t)size);
	lseek(text, 0, SEEK_SET);
	fuzz_must(dup2(text, STDIN_FILENO) == STDIN_FILENO);
	close(text);
	before = fuzz_count_fds();
	log_init(&log, "fuzz", open("/dev/null", O_WRONLY | O_CLOEXEC));
	tree_init(&tree);
	output_init(&out);
	if (reader_run(&out, &tree, &options) == 0) {
		diagnostics_write(&out.diagnostics, &log);
		if (out.diagnostics.errors == 0)
			expect_records(&out);
	}
	output_done(&out);
	tree_done(&tree);
	close(log.fd);
	fuzz_must(fuzz_count_fds() == before);
	return 0;
}
