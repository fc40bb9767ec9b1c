/* SPDX-License-Identifier: ISC */
#ifndef CTL_REQUEST_PATH_H
#define CTL_REQUEST_PATH_H

/* The path of a request: pattern with a word from words in place of each *,
 * whatever is special in it written as %XX.  malloc'd; exits when there is no
 * memory. */
char *request_path_make(const char *pattern, char *const *words);

#endif
