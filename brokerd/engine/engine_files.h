/* SPDX-License-Identifier: ISC */
#pragma once

struct log;
struct records;

/* Limits what this process can open from here on.  records are the engine's;
 * NULL is for its keeper.  0, also if the kernel has no Landlock, after a line
 * in the log; or -1 with errno. */
int engine_files_limit(const struct records *records, struct log *log);
