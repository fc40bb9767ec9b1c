/* SPDX-License-Identifier: ISC */
#pragma once

#include "monitor/setup.h"

/* Takes the descriptors that another brokerd or a service manager passes on,
 * as sd_listen_fds(3) describes, and setup->ready; closes all others from 3
 * up.  0, or -1 with errno. */
int environment_inherit(struct setup *setup);
