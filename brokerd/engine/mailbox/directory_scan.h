/* SPDX-License-Identifier: ISC */
#pragma once

#include <dirent.h>
#include <stdint.h>

#define DIRECTORY_SCAN_SOCKETS 1024 /* looked at in one scan */
/* A part has at most so many sockets and names.  After so few sockets it ends
 * when it has taken so long. */
#define DIRECTORY_SCAN_MANY 64
#define DIRECTORY_SCAN_NAMES_MANY 4096
#define DIRECTORY_SCAN_FEW 16
#define DIRECTORY_SCAN_PART_US 1000

/* A scan of a directory for names that may be sockets. */
struct directory_scan {
	DIR *dir;             /* NULL: none is under way */
	unsigned int names;   /* that were read */
	unsigned int sockets; /* that were looked at */
	int too_many;         /* it ended before the directory did */
};

/* Begins one.  0, or -1 with errno. */
int directory_scan_open(struct directory_scan *scan, const char *path);

/* Calls on_name for as many as one part may have.  True if it is over. */
int directory_scan_part(struct directory_scan *scan,
    void (*on_name)(void *owner, const char *name), void *owner);

/* Ends it, if it is under way. */
void directory_scan_close(struct directory_scan *scan);
