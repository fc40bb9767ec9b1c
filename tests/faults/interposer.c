/* SPDX-License-Identifier: ISC */
/*
 * Makes one call of a program fail.  A library for LD_PRELOAD in every process
 * of a broker.  It maps a file that run.py shares with it: the call sites that
 * were reached are noted there, and there it reads which of them is to fail
 * next and how.  When it has been loaded it needs no system call of its own, so
 * it works inside any sandbox.
 *
 * A call site is the call and the return addresses of at most three functions
 * of the program itself or of our libraries in it.
 */
#include <sys/mman.h>
#include <sys/syscall.h>

#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FRAMES 8
#define FRAMES_SEEN 24
#define FRAMES_OWN 3
#define SITES 16384
#define MODULES 32
#define PHASES 8

enum interposed {
#define CALL(name) INTERPOSED_##name,
#define POINTER CALL
#define ALLOCATION CALL
#include "calls.def"
#undef CALL
	INTERPOSED_COUNT
};

enum faults_role {
	ROLE_OTHER,
	ROLE_MONITOR,
	ROLE_READER,
	ROLE_ENGINE,
	ROLE_KEEPER,
	ROLE_WORKER,
	ROLE_CHILD,
	ROLE_EXEC,
	ROLE_BIND
};

/* Whose frames tell where a call was made; run.py reads their symbols. */
enum faults_file { FILE_PROGRAM, FILE_FDRECV, FILE_BIND, FILE_OTHER };

struct faults_site {
	uint64_t hash; /* 0: free */
	uint32_t role, call, number;
	uint32_t counts[PHASES];
	uint64_t frames[FRAMES]; /* enum faults_file << 48 | offset */
};

struct faults_page {
	uint32_t size_of_site, calls;
	uint32_t phase, recording;
	uint64_t armed; /* 0: nothing */
	uint32_t error, after, fired, fired_pid;
	char names[INTERPOSED_COUNT][24];
	struct faults_site sites[SITES];
};

struct faults_module {
	uintptr_t begin, end;
	enum faults_file file;
};

static struct faults_page *page;
static char set_preload[512], set_page[512];
static struct faults_module modules[MODULES];
static size_t module_count, self = MODULES;
static enum faults_role role;
static int busy;
static long (*real[INTERPOSED_COUNT])(long, long, long, long, long, long);
static const char *const names[] = {
#define CALL(name) #name,
#include "calls.def"
#undef CALL
#undef POINTER
#undef ALLOCATION
};

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static enum faults_file
file_of(const char *path)
{
	return module_count == 0                       ? FILE_PROGRAM :
	    strstr(path, "/libfdrecv-bind.so") != NULL ? FILE_BIND :
	    strstr(path, "/libfdrecv.so") != NULL      ? FILE_FDRECV :
							 FILE_OTHER;
}

static int
on_module(struct dl_phdr_info *info, size_t size, void *argument)
{
	struct faults_module *module = &modules[module_count];

	(void)size;
	(void)argument;
	if (module_count == MODULES)
		return 1;
	*module = (struct faults_module){
	    .begin = info->dlpi_addr, .file = file_of(info->dlpi_name)};
	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_LOAD)
			module->end = info->dlpi_addr +
			    info->dlpi_phdr[i].p_vaddr +
			    info->dlpi_phdr[i].p_memsz;
	if ((uintptr_t)on_module >= module->begin &&
	    (uintptr_t)on_module < module->end)
		self = module_count;
	module_count++;
	return 0;
}

static enum faults_role
own_role(void)
{
	static const struct {
		const char *name;
		enum faults_role role;
	} roles[] = {{"brokerd", ROLE_MONITOR}, {"brokerd-conf", ROLE_READER},
	    {"brokerd-engine", ROLE_ENGINE}, {"worker-fdrecv", ROLE_WORKER},
	    {"fdrecv-exec", ROLE_EXEC}, {"bind_server", ROLE_BIND}};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(program_invocation_short_name, roles[i].name) == 0)
			return roles[i].role;
	return ROLE_OTHER;
}

/* Other libraries may begin before this one. */
static long (*resolve(enum interposed call))(long, long, long, long, long, long)
{
	if (real[call] == NULL)
		*(void **)&real[call] = dlsym(RTLD_NEXT, names[call]);
	return real[call];
}

static __attribute__((constructor)) void
begin(void)
{
	const char *path = getenv("FAULTS_PAGE"),
		   *library = getenv("LD_PRELOAD");
	void *frames[FRAMES];
	int fd;

	busy = 1;
	snprintf(set_preload, sizeof(set_preload), "LD_PRELOAD=%s", library);
	snprintf(set_page, sizeof(set_page), "FAULTS_PAGE=%s", path);
	for (int i = 0; i < INTERPOSED_COUNT; i++)
		resolve((enum interposed)i);
	dl_iterate_phdr(on_module, NULL);
	backtrace(frames, FRAMES); /* loads its library */
	role = own_role();
	fd = path == NULL ?
	    -1 :
	    (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);
	if (fd != -1) {
		page = (void *)real[INTERPOSED_mmap](0, sizeof(*page),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		real[INTERPOSED_close](fd, 0, 0, 0, 0, 0);
		if (page == MAP_FAILED)
			page = NULL;
	}
	for (int i = 0; page != NULL && i < INTERPOSED_COUNT; i++)
		strncpy(page->names[i], names[i], sizeof(page->names[i]) - 1);
	if (page != NULL) {
		page->size_of_site = sizeof(struct faults_site);
		page->calls = INTERPOSED_COUNT;
	}
	busy = 0;
}

static int
module_of(uintptr_t address)
{
	for (size_t i = 0; i < module_count; i++)
		if (address >= modules[i].begin && address < modules[i].end)
			return (int)i;
	return -1;
}

/* Fills in where a call was made.  Returns how many frames there are. */
static int
look_up(uint64_t out_frames[FRAMES])
{
	void *frames[FRAMES_SEEN];
	int seen = backtrace(frames, FRAMES_SEEN), count = 0, own = 0, module;

	for (int i = 0; i < seen && count < FRAMES && own < FRAMES_OWN; i++) {
		module = module_of((uintptr_t)frames[i]);
		if (module == -1 || (size_t)module == self)
			continue;
		out_frames[count++] = (uint64_t)modules[module].file << 48 |
		    ((uintptr_t)frames[i] - modules[module].begin);
		own += modules[module].file != FILE_OTHER;
	}
	return own == 0 ? 0 : count;
}

static uint64_t
hash_of(enum interposed call, long number, const uint64_t *frames, int count)
{
	uint64_t hash = 14695981039346656037ULL ^ (uint64_t)call ^
	    (uint64_t)number << 8 ^ (uint64_t)role << 24;

	for (int i = 0; i < count; i++)
		hash = (hash ^ frames[i]) * 1099511628211ULL;
	return hash == 0 ? 1 : hash;
}

static void
note(uint64_t hash, enum interposed call, long number, const uint64_t *frames,
    int count)
{
	for (size_t i = 0; i < SITES; i++) {
		struct faults_site *site = &page->sites[(hash + i) % SITES];
		uint64_t none = 0;

		if (site->hash != hash &&
		    !__atomic_compare_exchange_n(&site->hash, &none, hash, 0,
			__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			continue;
		site->role = role;
		site->call = call;
		site->number = (uint32_t)number;
		memcpy(site->frames, frames, (size_t)count * sizeof(*frames));
		__atomic_fetch_add(
		    &site->counts[page->phase % PHASES], 1, __ATOMIC_SEQ_CST);
		return;
	}
}

/* True if the call has to fail, with errno. */
static int
fails(enum interposed call, long number)
{
	uint64_t frames[FRAMES] = {0}, hash;
	int saved = errno, count, error = 0;

	if (page == NULL || busy || role == ROLE_OTHER ||
	    (!page->recording && page->armed == 0))
		return 0;
	busy = 1;
	count = look_up(frames);
	hash = hash_of(call, number, frames, count);
	if (count > 0 && page->recording)
		note(hash, call, number, frames, count);
	if (count > 0 && page->armed == hash &&
	    __atomic_fetch_sub(&page->after, 1, __ATOMIC_SEQ_CST) == 0) {
		page->armed = 0;
		page->fired_pid = (uint32_t)getpid();
		page->fired = 1;
		error = (int)page->error;
	}
	busy = 0;
	errno = error != 0 ? error : saved;
	return error != 0;
}

#define ARGUMENTS long a, long b, long c, long d, long e, long f
#define VALUES a, b, c, d, e, f

/* What is called, if one function is for many. */
static long
number_of(enum interposed call, long a, long b)
{
	return call == INTERPOSED_fcntl || call == INTERPOSED_fcntl64 ? b :
	    call == INTERPOSED_syscall || call == INTERPOSED_prctl    ? a :
									0;
}

static long
run(enum interposed call, ARGUMENTS)
{
	long got;
	int failing = fails(call, number_of(call, a, b));

	if (failing && call != INTERPOSED_close)
		return -1;
	got = resolve(call)(VALUES);
	if (got == 0 && call == INTERPOSED_fork)
		role = role == ROLE_MONITOR ? ROLE_CHILD : role;
	if (got == 0 && call == INTERPOSED_syscall && a == SYS_clone)
		role = ROLE_KEEPER;
	return failing ? -1 : got;
}

#define CALL(name)                                        \
	long interposed_##name(ARGUMENTS) __asm__(#name); \
	long interposed_##name(ARGUMENTS)                 \
	{                                                 \
		return run(INTERPOSED_##name, VALUES);    \
	}
#define POINTER(name)                                     \
	long interposed_##name(ARGUMENTS) __asm__(#name); \
	long interposed_##name(ARGUMENTS)                 \
	{                                                 \
		return fails(INTERPOSED_##name, 0) ?      \
		    0 :                                   \
		    resolve(INTERPOSED_##name)(VALUES);   \
	}
#define ALLOCATION(name) /* see below */
#include "calls.def"

/* The monitor's children get nearly no environment: they get this too. */
int interposed_fexecve(int fd, char *const argv[], char *const env[]) __asm__(
    "fexecve");
int
interposed_fexecve(int fd, char *const argv[], char *const env[])
{
	char *more[16] = {NULL};
	int count = 0;

	if (fails(INTERPOSED_execv, 0))
		return -1;
	while (env[count] != NULL && count < 12) {
		more[count] = env[count];
		count++;
	}
	if (page != NULL) {
		more[count++] = set_preload;
		more[count] = set_page;
	}
	return (int)real[INTERPOSED_syscall](
	    SYS_execveat, fd, (long)"", (long)argv, (long)more, AT_EMPTY_PATH);
}

void *interposed_malloc(size_t size) __asm__("malloc");
void *
interposed_malloc(size_t size)
{
	return fails(INTERPOSED_malloc, 0) ? NULL : __libc_malloc(size);
}

void *interposed_calloc(size_t count, size_t size) __asm__("calloc");
void *
interposed_calloc(size_t count, size_t size)
{
	return fails(INTERPOSED_calloc, 0) ? NULL : __libc_calloc(count, size);
}

void *interposed_realloc(void *memory, size_t size) __asm__("realloc");
void *
interposed_realloc(void *memory, size_t size)
{
	return fails(INTERPOSED_realloc, 0) ? NULL :
					      __libc_realloc(memory, size);
}

void *interposed_reallocarray(void *memory, size_t count, size_t size) __asm__(
    "reallocarray");
void *
interposed_reallocarray(void *memory, size_t count, size_t size)
{
	return fails(INTERPOSED_reallocarray, 0) ?
	    NULL :
	    __libc_realloc(memory, count * size);
}
