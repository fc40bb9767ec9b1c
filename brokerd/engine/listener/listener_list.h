/* SPDX-License-Identifier: ISC */
#pragma once

#include "engine/listener/listener.h"

/* The listener of that name in list, or NULL. */
struct listener *listener_list_find(
    const struct listener_list *list, const char *name);
