/* SPDX-License-Identifier: ISC */
#pragma once

/*
 * Replaces the C library's syscall() for epoll_ctl(2), and its fstatat(): the
 * next calls fail with this errno, that many times.
 */
struct fake_shortage {
	int error;
	int times;
};

extern struct fake_shortage fake_shortage;
