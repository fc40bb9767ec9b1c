/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* One target in each program: libFuzzer's entry point, which replay.c calls as
 * well, with the inputs that are in the tree. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program unless condition holds. */
#define fuzz_must(condition)                                         \
	do {                                                         \
		if (!(condition))                                    \
			fuzz_failed(__FILE__, __LINE__, #condition); \
	} while (0)
void fuzz_failed(const char *file, int line, const char *condition)
    __attribute__((noreturn));

/* True if text ends within size bytes. */
int fuzz_is_text(const char *text, size_t size);

/* Returns a copy of exactly size bytes, so that AddressSanitizer sees a read
 * behind them; for free(3). */
void *fuzz_copy(const uint8_t *data, size_t size);

/* Sends a packet with count descriptors, which are fd itself and standard error
 * in turn.  That it is refused is no error. */
#define FUZZ_SEND_FDS 70
void fuzz_send(int fd, const void *bytes, size_t size, size_t count);

/* Returns how many descriptors are open. */
#define FUZZ_FDS 256 /* numbers that are looked at */
unsigned int fuzz_count_fds(void);
