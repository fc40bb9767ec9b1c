/* SPDX-License-Identifier: ISC */
/*
 * In the place of brokerd-engine: executes engine-hostile of its own directory,
 * or engine-real if that does not exist.  So a test decides what the monitor's
 * next engine is.
 */
#include <err.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	static const char *const names[] = {"engine-hostile", "engine-real"};
	char self[PATH_MAX], path[PATH_MAX + 32];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)argc;
	self[length < 0 ? 0 : length] = '\0';
	if (strrchr(self, '/') == NULL)
		errx(71, "%s: no absolute path", self);
	*strrchr(self, '/') = '\0';
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", self, names[i]);
		execv(path, argv);
	}
	err(71, "%s", path);
}
