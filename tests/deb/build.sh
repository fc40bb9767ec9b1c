#!/bin/sh
# SPDX-License-Identifier: ISC
# Makes the tarball of a release, the Debian source package, and the packages of
# a suite, in a system that has what debian/control asks for.
#
# usage: build.sh SUITE DIRECTORY [PART ...]
# DIRECTORY/shared/packages gets what dpkg-buildpackage makes, DIRECTORY/root is
# the name of the system, for enter.sh.  For each PART see make.sh.
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
suite=$1
directory=$2
shift 2

needed=$(sed -n '/^Build-Depends:/,/^[^ B]/s/^ \([a-z0-9.+-]*\).*/\1/p' \
    "$top/debian/control" | sed 's/-compat$//')
# shellcheck disable=SC2086 # a list of names
sh "$top/tests/deb/root.sh" "$suite" buildd $needed libmicrohttpd-dev lintian \
    >"$directory/root"
mkdir -p "$directory/shared/packages" "$directory/shared/tree"
(
    cd "$top"
    git -c safe.directory='*' ls-files -z | tar -cf - --null -T -
) | tar -C "$directory/shared/tree" -xf -
sh "$top/tests/deb/enter.sh" "$(cat "$directory/root")" "$directory/build" \
    "$directory/shared" sh /shared/tree/tests/deb/make.sh "$@"
