/* SPDX-License-Identifier: ISC */
/*
 * Counters of other engines, as files.  Engine, unprivileged.  An engine of
 * another version or a hostile one may have written them and may still write:
 * what is used was copied first and then checked.
 */
#include "engine/handoff/stats_file.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/text.h"
#include "config.h"

#include "record/record.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STATS_FILE_MAGIC 0x73746174U
#define STATS_FILE_LAYOUT 12
#define STATS_FILE_LIMIT (UINT64_C(1) << 53) /* exact in JSON's numbers */

void
stats_file_init(struct stats_head *head)
{
	head->magic = STATS_FILE_MAGIC;
	head->layout = STATS_FILE_LAYOUT;
	head->row_size = sizeof(struct stats_row);
	head->made_ms = head->started_ms = clock_ms();
	text_copy(head->package, sizeof(head->package), PACKAGE_VERSION);
}

/* NULL, or what is wrong with a head. */
static const char *
stats_file_check(const struct stats_head *head, off_t size)
{
	if (head->magic != STATS_FILE_MAGIC ||
	    head->layout != STATS_FILE_LAYOUT ||
	    head->row_size != sizeof(struct stats_row))
		return "another version wrote it";
	if (head->count > RECORD_MAX ||
	    (uint64_t)size < STATS_FILE_ROWS +
		    (uint64_t)head->count * sizeof(struct stats_row) ||
	    head->made_ms > clock_ms() || head->started_ms > head->made_ms ||
	    !text_is_printable(head->package, sizeof(head->package)))
		return "no engine writes that";
	return NULL;
}

const char *
stats_file_open(
    struct stats_file *file, int fd, int lives, struct stats_head *out_head)
{
	const char *wrong = "it is too short";
	struct stat st;

	*file = (struct stats_file){.fd = fd, .lives = lives};
	if (fstat(fd, &st) == 0 &&
	    pread(fd, out_head, sizeof(*out_head), 0) == sizeof(*out_head))
		wrong = stats_file_check(out_head, st.st_size);
	if (wrong != NULL) {
		stats_file_close(file);
		return wrong;
	}
	file->count = out_head->count;
	file->made_ms = out_head->made_ms;
	return NULL;
}

int
stats_file_read_persistent(
    const struct stats_file *file, struct persistent *persistent)
{
	if (pread(file->fd, persistent, sizeof(*persistent),
		offsetof(struct stats_page, persistent)) ==
		sizeof(*persistent) &&
	    persistent->drain_count <= PERSISTENT_DRAINS)
		return 0;
	persistent->drain_count = 0;
	return -1;
}

int
stats_file_is_sealed(const struct stats_file *file)
{
	int seals = fcntl(file->fd, F_GET_SEALS);

	return seals != -1 && (seals & F_SEAL_WRITE) != 0;
}

int
stats_file_is_same(
    const struct stats_file *file, const struct stats_file *other)
{
	struct stat one, two;

	return fstat(file->fd, &one) == 0 && fstat(other->fd, &two) == 0 &&
	    one.st_ino == two.st_ino && one.st_dev == two.st_dev;
}

/* True if an engine could have written this.  Else it is cleared. */
static int
stats_file_check_row(struct stats_row *row)
{
	const uint64_t *counters = &row->counters.accepted;
	char *name = row->counters.name;
	int good = row->state.paused <= 1;

	for (size_t i = 0; i < STATS_COUNTERS; i++)
		good &= counters[i] <= STATS_FILE_LIMIT;
	if (memchr(name, '\0', RECORD_LISTENER_SIZE) == NULL ||
	    !record_is_listener_name(name))
		memset(name, 0, RECORD_LISTENER_SIZE);
	if (good && name[0] != '\0')
		return 1;
	memset(&row->counters.accepted, 0, STATS_COUNTERS * sizeof(uint64_t));
	row->state = (struct persistent_listener){.paused = 0};
	return 0;
}

size_t
stats_file_read(const struct stats_file *file, size_t number,
    struct stats_row out_rows[STATS_FILE_CHUNK], size_t *wrong)
{
	const size_t size = sizeof(*out_rows);
	size_t count = number < file->count ? file->count - number : 0;
	ssize_t got;

	if (count > STATS_FILE_CHUNK)
		count = STATS_FILE_CHUNK;
	got = pread(file->fd, out_rows, count * size,
	    (off_t)(STATS_FILE_ROWS + number * size));
	count = got <= 0 ? 0 : (size_t)got / size;
	for (size_t i = 0; i < count; i++)
		*wrong += !stats_file_check_row(&out_rows[i]);
	return count;
}

void
stats_row_add(struct stats_listener *sum, const struct stats_listener *add)
{
	const uint64_t *from = &add->accepted;
	uint64_t *to = &sum->accepted;

	/* Behind the name there are only counters of 64 bits. */
	for (size_t i = 0; i < STATS_COUNTERS; i++)
		if (to[i] + from[i] <= STATS_FILE_LIMIT)
			to[i] += from[i];
}

int
stats_file_read_own(
    const struct stats_file *file, size_t own, struct stats_row *out_row)
{
	const size_t size = sizeof(*out_row);

	return file->own != NULL && file->own[own].row != 0 &&
	    pread(file->fd, out_row, size,
		(off_t)(STATS_FILE_ROWS + (file->own[own].row - 1) * size)) ==
	    (ssize_t)size &&
	    stats_file_check_row(out_row);
}

void
stats_file_close(struct stats_file *file)
{
	free(file->own);
	*file = (struct stats_file){.fd = fd_close(file->fd)};
}
