/* SPDX-License-Identifier: ISC */
#pragma once

#include <sys/socket.h>
#include <sys/types.h>

/* Room for what the kernel adds to a message: credentials and a pidfd. */
#define PEER_PROCESS_CONTROL \
	(CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int)))

/* The process at the other end of a receipt connection, as the kernel names
 * it. */
struct peer_process {
	uid_t uid;
	pid_t pid; /* 0: it is not visible from here */
	int pidfd; /* -1: only the hang-up reports its end */
};

/* The process that connected fd (borrowed).  Gives out_peer->pidfd. */
void peer_process_of_socket(int fd, struct peer_process *out_peer);

/* Sets whether the kernel adds the sender to each message that fd receives. */
void peer_process_ask(int fd, int on);

/* The process that sent a message, which fd received after peer_process_ask();
 * later messages are without their sender.  Closes descriptors that came with
 * the message.  0, and gives out_peer->pidfd; or -1 if there were some, or the
 * sender is not known. */
int peer_process_of_message(
    int fd, struct msghdr *msg, struct peer_process *out_peer);
