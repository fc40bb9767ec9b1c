#!/bin/sh
# SPDX-License-Identifier: ISC
# Configures a build anew without system call filters, and runs there what can
# depend on them.  The last line is "N passed, N failed".
#
# usage: sh tests/without-filters.sh DIRECTORY
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$1" && pwd)
suite=user
[ "$(id -u)" -ne 0 ] || suite=root

eval "set -- $(cd "$build" && ./config.status --config)"
log=$({
    cd "$build" && "$top/configure" "$@" --without-seccomp &&
        rm -f brokerd/filter/make-filters stage/tools/make-filters &&
        sh "$top/tests/build.sh" "$build"
} 2>&1) || {
    printf '%s\n' "$log"
    echo "0 passed, 1 failed"
    exit 1
}
exec sh "$top/tests/integration.sh" "$build" "$suite" test_handoff \
    test_keeper test_privileges test_reload test_upgrade test_landlock \
    test_filters test_hostile_engine_calls
