/* SPDX-License-Identifier: ISC */
#pragma once

struct log;
struct records;

/* Settles this process, see role_settle(), and gives up rights, before it reads
 * any input; the log says what this kernel cannot take away.  0, or -1 with
 * errno. */
int sandbox_enter_engine(const struct records *records, struct log *log);
int sandbox_enter_keeper(struct log *log);
