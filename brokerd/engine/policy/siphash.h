/* SPDX-License-Identifier: ISC */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4: without the key nobody finds inputs with the same hash. */
uint64_t siphash(const uint64_t key[2], const void *data, size_t size);
