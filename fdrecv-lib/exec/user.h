/* SPDX-License-Identifier: ISC */
#pragma once

/* Becomes the user with that name or number for good: groups, gid, uid.  Ends
 * the process with a message if there is no such user (64), it is not permitted
 * (77), or it could be undone (71). */
void user_become(const char *name);
