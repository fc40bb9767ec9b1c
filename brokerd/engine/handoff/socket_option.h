/* SPDX-License-Identifier: ISC */
#pragma once

/* Returns a number that SOL_SOCKET has of fd (borrowed), SO_TYPE say; -1 if fd
 * is not a socket. */
int socket_option(int fd, int name);
