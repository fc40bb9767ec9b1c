/* SPDX-License-Identifier: ISC */
/*
 * An engine's double, for the tests of engine_process.c.
 */
#include "double.h"

#include "unit.h"

#include "base/fd.h"
#include "channel/channel.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <sysexits.h>
#include <unistd.h>

static struct double_counters *counters;

int
double_counters(struct double_counters **out_counters)
{
	int fd = memfd_create("counters", MFD_CLOEXEC);

	unit_must(ftruncate(fd, sizeof(**out_counters)) == 0);
	*out_counters = mmap(NULL, sizeof(**out_counters),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	unit_must(*out_counters != MAP_FAILED);
	return fd;
}

static int
double_receive(
    enum channel_phase phase, struct channel_message *message, int *fd)
{
	struct pollfd channel = {.fd = CHANNEL_FD, .events = POLLIN};

	if (poll(&channel, 1, -1) != 1)
		return -1;
	return channel_receive(CHANNEL_FD, 0, phase, message, fd);
}

static int
double_load(void)
{
	static struct channel_message message;
	uint32_t i = 0;
	int fd;

	do {
		if (double_receive(CHANNEL_LOADING, &message, &fd) != 1 ||
		    message.u.endpoint.index != i || fd == -1)
			return -1;
		fd_close(fd);
		counters->endpoints = ++i;
	} while (i < message.u.endpoint.count);
	return 0;
}

static int
double_serve(void)
{
	static struct channel_message message;
	int fd;

	if (channel_send(CHANNEL_FD, CHANNEL_READY, NULL,
		counters->does == DOUBLE_PASS ? 2 : -1) == -1 ||
	    double_receive(CHANNEL_LOADED, &message, &fd) != 1)
		return EX_PROTOCOL;
	counters->started = message.header.type == CHANNEL_START;
	if (counters->does == DOUBLE_HURRY)
		channel_send(CHANNEL_FD, CHANNEL_READY, NULL, -1);
	if (double_receive(CHANNEL_SERVING, &message, &fd) == 1 &&
	    message.header.type == CHANNEL_DRAIN)
		return counters->number;
	return EX_PROTOCOL;
}

int
double_main(void)
{
	struct pollfd channel = {.fd = CHANNEL_FD, .events = POLLIN};

	counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE,
	    MAP_SHARED, CHANNEL_MEMFD, 0);
	if (counters == MAP_FAILED)
		return EX_IOERR;
	if (counters->does == DOUBLE_EXIT)
		return counters->number;
	while (counters->does == DOUBLE_HANG)
		pause();
	if (counters->does == DOUBLE_RESET)
		poll(&channel, 1, -1);
	else if (double_load() == -1)
		return EX_PROTOCOL;
	if (counters->does == DOUBLE_SLOW || counters->does == DOUBLE_RESET) {
		fd_close(CHANNEL_FD);
		poll(NULL, 0, 200);
		return counters->number;
	}
	if (counters->does == DOUBLE_LIE)
		channel_send(CHANNEL_FD, CHANNEL_START, NULL, -1);
	if (counters->does == DOUBLE_GARBAGE)
		send(CHANNEL_FD, "garbage", 7, MSG_NOSIGNAL);
	if (counters->does == DOUBLE_SIGNAL)
		kill(getpid(), counters->number);
	while (counters->does == DOUBLE_LIE || counters->does == DOUBLE_GARBAGE)
		pause();
	return double_serve();
}
