/* SPDX-License-Identifier: ISC */
/*
 * What earlier engines have left.  Engine, unprivileged.  What those counted
 * that have ended is summed up in a file, which is then sealed; the files of
 * those that still drain are read again for each report.  The monitor keeps
 * what was summed up until the sums are complete.
 */
#include "engine/handoff/legacy.h"

#include "base/fd.h"
#include "engine/handoff/stats_index.h"

#include <sys/mman.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LEGACY_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What legacy_sum_up() works with. */
struct legacy_load {
	struct stats_index index; /* of the rows of this engine */
	struct stats_row *sums;   /* in the same order */
	struct stats_row chunk[STATS_FILE_CHUNK];
};

void
legacy_init(struct legacy *legacy, struct log *log)
{
	*legacy = (struct legacy){.log = log, .sums = -1, .next = -1};
}

void
legacy_set_next(struct legacy *legacy, int fd)
{
	fd_close(legacy->next);
	legacy->next = fd;
}

void
legacy_add(struct legacy *legacy, int fd, int lives)
{
	if (legacy->count == LEGACY_FILES)
		fd_close(fd);
	else
		legacy->files[legacy->count++] =
		    (struct stats_file){.fd = fd, .lives = lives};
}

static void
legacy_close_files(struct legacy *legacy)
{
	for (size_t i = 0; i < legacy->count; i++)
		stats_file_close(&legacy->files[i]);
	legacy->count = 0;
}

static void
legacy_log(struct legacy *legacy, const char *wrong)
{
	log_line(legacy->log, LOG_WARNING,
	    "counters of an earlier engine cannot be used: %s: they are "
	    "not in the totals from now on",
	    wrong);
}

/* Opens the files that were added.  Returns the one of the last engine, or else
 * the last sums; NULL if there are none. */
static struct stats_file *
legacy_open(struct legacy *legacy, struct stats_head *out_last)
{
	struct stats_file *file, *last = NULL;
	struct stats_head head;
	const char *wrong = NULL;
	size_t count = legacy->count;

	legacy->count = 0;
	for (size_t i = 0; i < count; i++) {
		file = &legacy->files[legacy->count];
		*file = legacy->files[i];
		if (file->own == NULL)
			wrong =
			    stats_file_open(file, file->fd, file->lives, &head);
		if (file->own == NULL && wrong != NULL) {
			legacy_log(legacy, wrong);
			continue;
		}
		legacy->count++;
		if (file->own != NULL ||
		    (last != NULL &&
			(last->made_ms > file->made_ms ||
			    (last->made_ms == file->made_ms &&
				stats_file_is_sealed(file)))))
			continue;
		last = file;
		*out_last = head;
	}
	return last;
}

/* Counts what a dead engine left unfinished.  It may have died between two
 * steps, with a connection in both. */
static void
legacy_settle(struct stats_listener *row)
{
	uint64_t ends = row->taken + row->plain + row->expired + row->died +
	    row->dead + row->refused_absent + row->refused_drain +
	    row->refused_deaths + row->refused_denied + row->refused_open +
	    row->refused_rate + row->refused_share + row->orphaned + row->lost;
	uint64_t got =
	    row->accepted + row->returned_engine + row->returned_sent;
	uint64_t open = got > ends ? got - ends : 0;
	uint64_t orphaned = row->unreceipted < open ? row->unreceipted : open;

	row->orphaned += orphaned;
	row->lost += open - orphaned;
	row->held = row->unreceipted = 0;
}

static void
legacy_sum_up_row(struct legacy_load *load, struct stats_file *file,
    struct stats_row *row, uint32_t number)
{
	uint32_t own = stats_index_find(&load->index, row->counters.name);

	if (own-- == 0)
		return;
	if (file->lives) {
		file->own[own].row = number + 1;
		file->own[own].paused = (uint32_t)row->state.paused;
		return;
	}
	legacy_settle(&row->counters);
	stats_row_add(&load->sums[own].counters, &row->counters);
}

/* Sums up a file, or prepares to read it later.  0, or -1 with errno. */
static int
legacy_sum_up_file(struct legacy *legacy, struct legacy_load *load,
    struct stats_file *file, size_t rows)
{
	size_t wrong = 0, got = 1;

	if (file->own != NULL)
		return 0; /* it is prepared */
	if (file->lives) {
		file->own = calloc(rows + 1, sizeof(*file->own));
		if (file->own == NULL)
			return -1;
	}
	for (size_t at = 0; got > 0; at += got) {
		got = stats_file_read(file, at, load->chunk, &wrong);
		for (size_t i = 0; i < got; i++)
			legacy_sum_up_row(
			    load, file, &load->chunk[i], (uint32_t)(at + i));
	}
	if (wrong > 0)
		log_line(legacy->log, LOG_WARNING,
		    "counters of an earlier engine, listeners=%zu: no engine "
		    "writes these numbers: they count as 0",
		    wrong);
	return 0;
}

/* 0, or -1 with errno. */
static int
legacy_sum_up_files(struct legacy *legacy, struct legacy_load *load,
    struct stats_page *sums, const struct stats_page *page,
    const struct stats_row *rows)
{
	memcpy(sums, page, sizeof(*page));
	load->sums = (void *)((char *)sums + STATS_FILE_ROWS);
	for (size_t i = 0; i < legacy->rows; i++) {
		memcpy(load->sums[i].counters.name, rows[i].counters.name,
		    RECORD_LISTENER_SIZE);
		load->sums[i].state = rows[i].state;
	}
	for (size_t i = 0; i < legacy->count; i++)
		if (legacy_sum_up_file(
			legacy, load, &legacy->files[i], legacy->rows) == -1)
			return -1;
	return 0;
}

/* True if the engine of a file that was prepared has ended by now. */
static int
legacy_has_ended(const struct legacy *legacy, const struct stats_file *file)
{
	for (size_t i = 0; i < legacy->count; i++)
		if (!legacy->files[i].lives &&
		    stats_file_is_same(&legacy->files[i], file))
			return 1;
	return !file->lives;
}

/* Closes the files of engines that have ended. */
static void
legacy_close_ended(struct legacy *legacy)
{
	struct legacy kept = *legacy;

	kept.count = 0;
	kept.before = NULL;
	for (size_t i = 0; i < legacy->count; i++) {
		if (legacy_has_ended(legacy, &legacy->files[i]))
			continue;
		if (legacy->before == &legacy->files[i])
			kept.before = &legacy->files[kept.count];
		kept.files[kept.count++] = legacy->files[i];
		legacy->files[i] = (struct stats_file){.fd = -1};
	}
	legacy_close_files(legacy);
	*legacy = kept;
}

int
legacy_sum_up(struct legacy *legacy, const struct stats_page *page,
    const struct stats_row *rows)
{
	const size_t count = legacy->rows;
	const size_t size = STATS_FILE_ROWS + count * sizeof(*rows);
	struct legacy_load *load = calloc(1, sizeof(*load));
	struct stats_page *sums = MAP_FAILED;
	struct stats_head head;
	int result = -1;

	legacy_open(legacy, &head);
	if (ftruncate(legacy->next, (off_t)size) == 0)
		sums = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED,
		    legacy->next, 0);
	if (load != NULL && sums != MAP_FAILED &&
	    stats_index_init(&load->index, rows, count) == 0)
		result = legacy_sum_up_files(legacy, load, sums, page, rows);
	if (load != NULL)
		stats_index_done(&load->index);
	free(load);
	if (sums != MAP_FAILED)
		munmap(sums, size);
	if (result == -1 ||
	    fcntl(legacy->next, F_ADD_SEALS, LEGACY_SEALS) == -1)
		return -1;
	fd_close(legacy->sums);
	legacy->sums = fd_steal(&legacy->next);
	legacy_close_ended(legacy);
	return 0;
}

/* Copies what a file notes of the listeners, besides their counters.  0, or -1
 * with errno. */
static int
legacy_load_states(
    const struct stats_file *last, struct stats_row *rows, size_t count)
{
	struct legacy_load *load = calloc(1, sizeof(*load));
	size_t got = 1, wrong = 0;
	uint32_t own;
	int result = -1;

	if (load != NULL)
		result = stats_index_init(&load->index, rows, count);
	for (size_t at = 0; result == 0 && got > 0; at += got) {
		got = stats_file_read(last, at, load->chunk, &wrong);
		for (size_t i = 0; i < got; i++) {
			own = stats_index_find(
			    &load->index, load->chunk[i].counters.name);
			if (own != 0)
				rows[own - 1].state = load->chunk[i].state;
		}
	}
	if (load != NULL)
		stats_index_done(&load->index);
	free(load);
	return result;
}

int
legacy_load(
    struct legacy *legacy, struct stats_page *page, struct stats_row *rows)
{
	struct stats_head head;
	struct stats_file *last = legacy_open(legacy, &head);
	uint64_t statements = 0;

	legacy->rows = page->head.count;
	if (last != NULL) {
		page->head.started_ms = head.started_ms;
		memcpy(legacy->package, head.package, sizeof(head.package));
		if (stats_file_read_persistent(last, &page->persistent) == -1)
			log_line(legacy->log, LOG_WARNING,
			    "what the last engine noted cannot be used: "
			    "mailboxes that it drained get connections again");
		page->persistent.is_final = 0;
		persistent_begin(&page->persistent);
		statements = page->persistent.statements;
		if (legacy_load_states(last, rows, legacy->rows) == -1)
			return -1;
		if (last->lives && !stats_file_is_sealed(last))
			legacy->before = last;
	}
	if (legacy_sum_up(legacy, page, rows) == -1)
		return -1;
	if (legacy->before != NULL)
		legacy->before->statements = statements;
	return 0;
}

/* What was said about listeners. */
static void
legacy_follow_rows(
    struct legacy *legacy, struct stats_page *page, struct stats_row *rows)
{
	struct stats_file *before = legacy->before;
	struct stats_row row;

	for (uint32_t i = 0; i < legacy->rows; i++) {
		struct stats_place *place = &before->own[i];

		if (!stats_file_read_own(before, i, &row) ||
		    row.state.paused == place->paused)
			continue;
		place->paused = (uint32_t)row.state.paused;
		persistent_set_paused(
		    &page->persistent, &rows[i].state, row.state.paused != 0);
	}
}

static void
legacy_follow_drains(struct legacy *legacy, struct persistent *own,
    const struct persistent *theirs)
{
	for (size_t i = 0; i < theirs->drain_count; i++)
		if (persistent_set_drained(own, theirs->drains[i].device,
			theirs->drains[i].inode, 0) == -1) {
			log_line(legacy->log, LOG_WARNING,
			    "too many mailboxes are drained: the last ones get "
			    "connections again");
			return;
		}
}

int
legacy_follow(
    struct legacy *legacy, struct stats_page *page, struct stats_row *rows)
{
	struct stats_file *before = legacy->before;
	struct persistent *theirs;
	uint64_t is_final = 1;
	int said = 0;

	if (before == NULL)
		return -1;
	theirs = malloc(sizeof(*theirs));
	/* It says that something is its last word only after that. */
	if (theirs != NULL && stats_file_read_persistent(before, theirs) == 0) {
		is_final = theirs->is_final;
		if (is_final)
			stats_file_read_persistent(before, theirs);
		said = theirs->statements != before->statements;
		before->statements = theirs->statements;
		if (said) {
			legacy_follow_rows(legacy, page, rows);
			legacy_follow_drains(legacy, &page->persistent, theirs);
		}
	}
	free(theirs);
	return said ? 1 : is_final ? -1 : 0;
}

/* The sums have the same rows as this engine. */
void
legacy_sum(struct legacy *legacy, size_t number, struct stats_listener *sum)
{
	struct stats_row row;

	if (pread(legacy->sums, &row, sizeof(row),
		(off_t)(STATS_FILE_ROWS + number * sizeof(row))) == sizeof(row))
		stats_row_add(sum, &row.counters);
	for (size_t i = 0; i < legacy->count; i++)
		if (stats_file_read_own(&legacy->files[i], number, &row) &&
		    strcmp(row.counters.name, sum->name) == 0)
			stats_row_add(sum, &row.counters);
}

void
legacy_close(struct legacy *legacy)
{
	legacy_close_files(legacy);
	legacy->sums = fd_close(legacy->sums);
	legacy->next = fd_close(legacy->next);
}
